"""Where a sample may write its picture."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from pathlib import Path


def png_file(text: str) -> Path:
    """Read the path of a PNG file to write, as an argument's type for argparse.

    Raises:
        ArgumentTypeError: no such file can be written there; better known before the work is done.

    """
    path = Path(text)
    folder = path.absolute().parent
    if path.suffix.lower() != ".png":
        message = f"{text} must end in .png"
    elif not folder.is_dir():
        message = f"there is no directory {folder}"
    elif path.is_dir():
        message = f"{text} is a directory"
    elif not os.access(path if path.exists() else folder, os.W_OK):
        message = f"{text} cannot be written: permission denied"
    else:
        return path
    raise ArgumentTypeError(message)
