# SPDX-License-Identifier: BSL-1.0
"""NAME.svg: bars for each case and metric, by gnuplot."""
import shutil
import subprocess
from pathlib import Path

from .model import Metric, Workload
from .text import number

COLOURS = {
    "coterie ring": 0x1F77B4,
    "coterie socket": 0x9CC3E4,
    "Python": 0xBDBDBD,
    "MPI": 0xE6A157,
    "threads": 0x98C379,
    "limit": 0x555555,
}
WIDTH = 960
BAR = 21  # pixels for each bar
ABOVE, BELOW = 44, 34  # pixels of a panel's title, and of its axis
LEFT, RIGHT = 260, 90


class Panel:
    """The bars of one metric in one case."""

    def __init__(self, title: str, metric: Metric, contenders: dict):
        self.metric = metric
        self.title = title
        self.bars = [
            (name, each["group"], {k: v * metric.scale for k, v in each["metrics"][metric.key].items()})
            for name, each in contenders.items()
            if metric.key in each["metrics"]
        ]
        self.height = ABOVE + BELOW + BAR * len(self.bars)

    def script(self, place: int, top: int, whole: int) -> list[str]:
        least = min(spread["least"] for _, _, spread in self.bars)
        most = max(spread["most"] for _, _, spread in self.bars)
        logarithmic = least > 0 and most / least > 30
        origin = least / 2 if logarithmic else 0
        end = most * 3 if logarithmic else most * 1.12 or 1
        unit = f" ({self.metric.unit})" if self.metric.unit else ""
        better = "less is better" if self.metric.less_is_better else "more is better"
        lines = [f"$panel{place} << DATA"]
        for row, (name, group, spread) in enumerate(self.bars):
            lines.append(
                f'{row} {spread["median"]:.9g} {spread["least"]:.9g} {spread["most"]:.9g} '
                f'{COLOURS[group]} "{name}" "{number(spread["median"])}"'
            )
        lines += [
            "DATA",
            f"set tmargin at screen {1 - (top + ABOVE - 8) / whole:.6f}",
            f"set bmargin at screen {1 - (top + self.height - BELOW) / whole:.6f}",
            f'set title "{self.title}: {self.metric.title}{unit}, {better}" offset 0,-0.4',
            "set logscale x" if logarithmic else "unset logscale x",
            f"set xrange [{origin:.9g}:{end:.9g}]",
            f"set yrange [{len(self.bars) - 0.5}:-0.5]",
            'set format x "%g"',
            f"plot $panel{place} using 2:1:({origin:.9g}):2:($1-0.36):($1+0.36):5:ytic(6) "
            "with boxxyerror fillstyle solid noborder linecolor rgb variable notitle, "
            f"$panel{place} using 2:1:3:4 with xerrorbars pointtype 0 linewidth 1.2 "
            'linecolor "#222222" notitle, '
            f"$panel{place} using 4:1:7 with labels left offset 0.8,0 notitle",
        ]
        return lines


def panels_of(workload: Workload, cases: dict) -> list[Panel]:
    panels = []
    for case, contenders in cases.items():
        for metric in workload.metrics:
            panel = Panel(case, metric, contenders)
            if metric.plot and panel.bars:
                panels.append(panel)
    return panels


def script_of(workload: Workload, cases: dict, svg: Path) -> str:
    panels = panels_of(workload, cases)
    whole = 40 + sum(panel.height for panel in panels)
    lines = [
        f'set terminal svg size {WIDTH},{whole} font "Helvetica,Arial,sans-serif,13" '
        'background "#ffffff"',
        f'set output "{svg}"',
        "set termoption noenhanced",
        "set encoding utf8",
        f'set label 1 "{workload.name}: {workload.title}" at screen 0.5,{1 - 22 / whole:.6f} center '
        'font ",17"',
        "set multiplot",
        f"set lmargin at screen {LEFT / WIDTH:.6f}",
        f"set rmargin at screen {1 - RIGHT / WIDTH:.6f}",
        "set border 1",
        "set tics nomirror scale 0.5",
        "set ytics scale 0",
        'set grid xtics linewidth 0.5 linetype 1 linecolor "#dddddd"',
    ]
    top = 40
    for place, panel in enumerate(panels):
        lines += panel.script(place, top, whole)
        lines.append("unset label 1")
        top += panel.height
    return "\n".join([*lines, "unset multiplot", ""])


def plot(workload: Workload, cases: dict, svg: Path) -> str:
    """Why there is no plot; empty if there is one."""
    if not shutil.which("gnuplot"):
        return "gnuplot is not installed (Debian: gnuplot-nox)"
    if not panels_of(workload, cases):
        return "nothing was measured"
    script = script_of(workload, cases, svg)
    done = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True)
    return done.stderr.strip().splitlines()[-1] if done.returncode != 0 else ""
