"""Starting processes, and making sure that none outlives whoever started it."""
