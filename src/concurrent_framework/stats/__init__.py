"""Statistics of a node: what it counts and measures of its own work."""

from concurrent_framework.stats.metrics import Counter, Histogram
from concurrent_framework.stats.registry import NOTHING, Registry, registry_for

__all__ = ["NOTHING", "Counter", "Histogram", "Registry", "registry_for"]
