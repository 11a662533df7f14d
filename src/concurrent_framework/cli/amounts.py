"""Writes numbers, spans of time and rates the way people read them."""

from __future__ import annotations


def count(number: float) -> str:
    """Return a number with thousands separated.

    Example:
        >>> count(1234567)
        '1,234,567'

    """
    return f"{number:,.0f}"


def rate(per_second: float) -> str:
    """Return a rate with as many digits as mean something.

    Example:
        >>> rate(0), rate(0.25), rate(7.04), rate(31250.4)
        ('0/s', '0.25/s', '7.0/s', '31,250/s')

    """
    if per_second < 1:
        return f"{per_second:.2f}/s" if per_second else "0/s"
    return f"{per_second:.1f}/s" if per_second < 100 else f"{per_second:,.0f}/s"


def span(seconds: float) -> str:
    """Return a span of time in its two largest units.

    Example:
        >>> span(0.0123), span(4.25), span(75), span(7390), span(200000)
        ('12 ms', '4.2 s', '1 min 15 s', '2 h 3 min', '2 d 7 h')

    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def age(seconds: float) -> str:
    """Return a span of time in its largest unit, for tables.

    Example:
        >>> age(0.3), age(75), age(7390), age(200000)
        ('0 s', '1 min', '2 h', '2 d')

    """
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{int(seconds)} s"


def size(byte_count: float) -> str:
    """Return an amount of memory in its binary unit.

    Example:
        >>> size(512), size(3 * 2**30)
        ('512 B', '3.0 GiB')

    """
    value = float(byte_count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
