"""The API methods that come with Concurrent, a component for each noun."""
