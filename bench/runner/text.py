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


def by_reason(absent: dict[str, str]) -> list[str]:
    """Names, each group of them with what they have in common: "A, B (not installed)"."""
    groups: dict[str, list[str]] = {}
    for name, reason in absent.items():
        groups.setdefault(reason, []).append(name)
    return [f"{', '.join(names)} ({reason})" for reason, names in groups.items()]


def measured(verdict: dict) -> str:
    """With a digit more than elsewhere: whether a bound was kept must be seen."""
    value = verdict["value"]
    if value is None:
        return ""
    return f"{value:.3f}" if 0.1 <= abs(value) < 10 else number(value)


def bound(verdict: dict) -> str:
    if verdict["at_least"] == 0:
        return "done"
    if verdict["at_most"] is not None:
        return f"at most {verdict['at_most']:g}"
    return f"at least {verdict['at_least']:g}"


def met(verdict: dict) -> str:
    if verdict["failed"]:
        return "**failed**"
    return {True: "met", False: "**missed**", None: "not measured"}[verdict["met"]]
