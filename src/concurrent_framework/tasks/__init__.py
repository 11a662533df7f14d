"""Tasks: what users write, how their state travels, and what they can ask for while they run."""
