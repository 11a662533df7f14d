"""What travels between processes: typed messages, their encoding and its limits."""
