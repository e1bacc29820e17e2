# SPDX-License-Identifier: BSL-1.0
"""What a workload is made of. Each folder of bench/ has a workload.py that says it in these words."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

LOOPS = ("epoll", "io_uring")


@dataclass(frozen=True)
class Metric:
    """A number that the programs print."""

    key: str
    title: str
    unit: str = ""
    scale: float = 1  # what the programs print, times this, is in the unit
    less_is_better: bool = True
    beside: Sequence[str | tuple[str, str]] = ()  # contenders, or (contender, key), to divide by
    plot: bool = True


@dataclass(frozen=True)
class Case:
    """What the programs are told: the same options for all contenders."""

    name: str
    options: Mapping[str, int]
    quick: Mapping[str, int] = field(default_factory=dict)  # instead, with --quick

    def given(self, quick: bool) -> dict[str, int]:
        return {**self.options, **(self.quick if quick else {})}


@dataclass(frozen=True)
class Contender:
    """A program, and how to start it."""

    name: str
    group: str  # what it is drawn as
    program: str  # FOLDER/FILE in bench/; without FOLDER: in the workload's
    tree: str = "epoll"
    options: Mapping[str, int | str] = field(default_factory=dict)  # on top of the case's
    at_most: Mapping[str, int] = field(default_factory=dict)  # for those that take too long
    takes_case: bool = True  # whether it has the case's options; limits often have their own
    cases: Sequence[str] = ()  # the cases it takes part in; none named: all
    ranks: Callable[[int], int] | None = None  # MPI ranks for so many workers
    mpirun: Sequence[str] = ()  # more options for mpirun
    module: str = ""  # the Python module that must be there

    def path(self, workload: str) -> str:
        return self.program if "/" in self.program else f"{workload}/{self.program}"


@dataclass(frozen=True)
class Target:
    """A ratio that is to be reached: of the contender to the best of others, or by itself.

    The first present of the contenders is meant. `{loop}` stands for each event loop in turn.
    """

    text: str
    metric: str
    contender: Sequence[str]
    at_most: float | None = None
    at_least: float | None = None
    of: Sequence[str] = ()
    of_metric: str = ""
    case: str | None = None  # None: every case

    def for_each_loop(self) -> list[Target]:
        named = (*self.contender, *self.of)
        if not any("{loop}" in name for name in named):
            return [self]
        return [
            replace(
                self,
                contender=[name.replace("{loop}", loop) for name in self.contender],
                of=[name.replace("{loop}", loop) for name in self.of],
            )
            for loop in LOOPS
        ]


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    about: str
    metrics: Sequence[Metric]  # the first one is what the workload is about
    cases: Sequence[Case]
    contenders: Sequence[Contender]
    targets: Sequence[Target] = ()
    timeout: int = 120  # seconds for one run

    def metric(self, key: str) -> Metric:
        return next(metric for metric in self.metrics if metric.key == key)
