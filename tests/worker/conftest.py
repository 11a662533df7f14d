"""A process manager for each test that asks for one."""

from tests.managers.conftest import driver, make_driver

__all__ = ["driver", "make_driver"]
