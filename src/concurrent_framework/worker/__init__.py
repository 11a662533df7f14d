"""The worker: holds tasks for its task manager and reports what came of them."""
