"""Tools for testing applications and Concurrent itself: a whole cluster in one thread, on a fake clock."""
