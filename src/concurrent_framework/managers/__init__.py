"""Task managers: the components that execute tasks for a worker."""
