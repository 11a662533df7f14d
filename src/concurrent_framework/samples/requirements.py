"""What the samples need beyond the framework itself."""

from __future__ import annotations

from importlib.util import find_spec

from concurrent_framework.model.errors import UsageError


def require(sample: str, *modules: str) -> None:
    """Check that the modules a sample needs are installed, without importing them.

    Args:
        sample: name of the sample, for the message.
        modules: top-level modules it imports.

    Raises:
        UsageError: one of them is missing; the message says how to install it.

    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        needs = " and ".join(missing)
        message = (
            f'the sample {sample} needs {needs}: run pip install "concurrent-framework[samples]"'
        )
        raise UsageError(message)
