"""Typed options and the configuration that gives them values."""

from concurrent_framework.config.config import Config, Described
from concurrent_framework.config.option import Option, options_of
from concurrent_framework.config.sources import Setting

__all__ = ["Config", "Described", "Option", "Setting", "options_of"]
