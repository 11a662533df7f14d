"""The plug-in system: interfaces, components that implement them, and the manager of both."""

from concurrent_framework.components.app import IApp
from concurrent_framework.components.command import ICommand
from concurrent_framework.components.component import (
    Component,
    component_name,
    implements,
    interfaces_of,
)
from concurrent_framework.components.extension import ExtensionPoint
from concurrent_framework.components.interface import Interface, optional
from concurrent_framework.components.manager import ComponentManager
from concurrent_framework.components.reference import ComponentInfo, PluginProblem, Reference

__all__ = [
    "Component",
    "ComponentInfo",
    "ComponentManager",
    "ExtensionPoint",
    "IApp",
    "ICommand",
    "Interface",
    "PluginProblem",
    "Reference",
    "component_name",
    "implements",
    "interfaces_of",
    "optional",
]
