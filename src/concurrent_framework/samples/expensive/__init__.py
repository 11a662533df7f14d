"""Tasks that keep a core busy, to measure the speed-up against Amdahl's law."""
