"""Limits on what executors may use."""
