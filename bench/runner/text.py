# SPDX-License-Identifier: BSL-1.0
"""Numbers as people like to read them."""


def number(value: float) -> str:
    """Three digits that say something: 1234, 123, 12.3, 1.23, 0.123, 0.00123."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 100:
        return f"{value:.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if size >= 1:
        return f"{value:.2f}"
    if size >= 0.1:
        return f"{value:.3f}"
    return f"{value:.3g}"


def bound(verdict: dict) -> str:
    if verdict["at_most"] is not None:
        return f"at most {verdict['at_most']:g}"
    return f"at least {verdict['at_least']:g}"


def met(verdict: dict) -> str:
    return {True: "met", False: "**missed**", None: "not measured"}[verdict["met"]]
