"""What each page that comes with Concurrent shows."""
