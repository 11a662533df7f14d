"""The pages on which people see and steer a node; in a process of its own, a client of the API."""
