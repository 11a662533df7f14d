"""Size and complexity of Python sources."""
