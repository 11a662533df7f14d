"""Moving frames between processes: the port, its ZeroMQ adapter and its in-memory twin."""
