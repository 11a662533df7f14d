"""Find the number with a given MD5 digest by trying them all."""

from concurrent_framework.samples.md5.app import Md5

__all__ = ["Md5"]
