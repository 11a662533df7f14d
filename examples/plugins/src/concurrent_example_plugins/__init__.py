"""Plug-ins for Concurrent: a schedule strategy, a task manager and a command."""
