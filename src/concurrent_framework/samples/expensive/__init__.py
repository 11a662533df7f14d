"""Tasks that keep a core busy, to measure the speed-up against Amdahl's law."""

from concurrent_framework.samples.expensive.app import Expensive

__all__ = ["Expensive"]
