"""Deciding when and where a task goes. Everything here is PURE."""
