"""Size and complexity of Python sources."""

from concurrent_framework.samples.codecount.app import CodeCount

__all__ = ["CodeCount"]
