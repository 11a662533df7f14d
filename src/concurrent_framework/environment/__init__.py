"""Environments: a directory that holds all of one node or application, and what is done with it."""

from concurrent_framework.environment.archive import verify_backup
from concurrent_framework.environment.background import launch_in_background
from concurrent_framework.environment.creating import create
from concurrent_framework.environment.deletion import delete
from concurrent_framework.environment.environment import Environment
from concurrent_framework.environment.launching import launch
from concurrent_framework.environment.listener import IEnvironmentListener
from concurrent_framework.environment.monitoring import connection_to
from concurrent_framework.environment.saving import backup, restore
from concurrent_framework.environment.settings import set_application, switch
from concurrent_framework.environment.stopping import stop
from concurrent_framework.environment.upgrading import upgrade

__all__ = [
    "Environment",
    "IEnvironmentListener",
    "backup",
    "connection_to",
    "create",
    "delete",
    "launch",
    "launch_in_background",
    "restore",
    "set_application",
    "stop",
    "switch",
    "upgrade",
    "verify_backup",
]
