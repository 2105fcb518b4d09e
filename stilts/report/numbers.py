"""How numbers are printed. Minus is the ASCII hyphen here; writers choose their own sign."""

import math

PLUS_MINUS = "\u00b1"


def points(value: float) -> str:
    """A score on 0-100."""
    return f"{value:.1f}"


def signed(value: float) -> str:
    """A change in points; never a negative zero."""
    return f"{round(value, 1) + 0.0:+.1f}"


def spread(half_width: float) -> str:
    """Half the width of an interval in points."""
    return f"{PLUS_MINUS}{half_width:.1f}"


def bracket(low: float, high: float, digits: int = 1) -> str:
    """An interval by its ends."""
    return f"[{low:,.{digits}f}, {high:,.{digits}f}]"


def milliseconds(nanoseconds: float) -> str:
    """A time in ms with three digits that mean something."""
    return significant(nanoseconds / 1e6)


def significant(value: float, digits: int = 3) -> str:
    """Three significant digits without an exponent, as timings are printed."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    rounded = abs(float(f"{value:.{digits}g}"))
    decimals = max(0, digits - 1 - math.floor(math.log10(rounded)))
    return f"{value:,.{decimals}f}"


def scaled(value: float) -> str:
    """A large count with its SI letter: 1.24T."""
    for letter, size in (("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size * 0.9995:
            return f"{significant(value / size)}{letter}"
    return significant(value) if value else "0"
