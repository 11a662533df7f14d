"""MD5 digests of decimal numbers, and the way back."""

from __future__ import annotations

from hashlib import md5


def digest_of(number: int) -> bytes:
    """Return the MD5 digest of a number written in decimal.

    Example:
        >>> digest_of(42).hex()
        'a1d0c6e83f027327d8461063f4ac58a6'

    """
    return md5(b"%d" % number, usedforsecurity=False).digest()


def find(digest: bytes, numbers: range) -> int | None:
    """Return the number in the range that has this digest, None if there is none.

    Example:
        >>> find(digest_of(42), range(100))
        42

    """
    for number in numbers:
        if md5(b"%d" % number, usedforsecurity=False).digest() == digest:
            return number
    return None


def parse_digest(text: str) -> bytes:
    """Read a digest as `md5sum` writes it.

    Raises:
        ValueError: it does not have 32 hexadecimal digits.

    """
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 16:
        message = f"{text!r} is no MD5 digest: it needs 32 hexadecimal digits"
        raise ValueError(message)
    return digest
