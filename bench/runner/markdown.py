# SPDX-License-Identifier: BSL-1.0
"""latest.md: the tables."""
from .model import Metric, Workload
from .judge import reference
from .text import bound, by_reason, measured, met, number


def table(header: list[str], rows: list[list[str]], left: int = 1) -> list[str]:
    """A table whose source can be read as well. The first `left` columns are text, the rest numbers."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(cells):
        aligned = (
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths))
        )
        return "| " + " | ".join(aligned) + " |"

    rule = ("-" * w if i < left else "-" * (w - 1) + ":" for i, w in enumerate(widths))
    return [line(header), "| " + " | ".join(rule) + " |", *map(line, rows), ""]


def heading_of(metric: Metric) -> str:
    return f"{metric.title} ({metric.unit})" if metric.unit else metric.title


def verdict_on(name: str, case: str, targets: list[dict]) -> str:
    about = [each["met"] for each in targets if each["contender"] == name and each["case"] == case]
    known = [each for each in about if each is not None]
    if not known:
        return ""
    if len(known) == 1:
        return "met" if known[0] else "**missed**"
    return f"{sum(known)} of {len(known)} met" if all(known) else f"**{sum(known)} of {len(known)} met**"


def case_table(workload: Workload, case: str, result: dict) -> list[str]:
    contenders = result["cases"][case]
    metrics = [
        metric
        for metric in workload.metrics
        if any(metric.key in each["metrics"] for each in contenders.values())
    ]
    header = ["contender"]
    for place, metric in enumerate(metrics):
        header.append(heading_of(metric))
        if place == 0:
            header.append("least to most")
        header += ["÷ " + reference(beside, metric)[0] for beside in metric.beside]
    header.append("target")

    rows = []
    for name, contender in contenders.items():
        row = [name]
        for place, metric in enumerate(metrics):
            spread = contender["metrics"].get(metric.key)
            shown = {key: number(value * metric.scale) for key, value in (spread or {}).items()}
            row.append(shown.get("median", ""))
            if place == 0:
                row.append(f"{shown['least']} to {shown['most']}" if shown else "")
            for beside in metric.beside:
                ratio = contender["ratios"].get(metric.key, {}).get(reference(beside, metric)[0])
                row.append("" if ratio is None else number(ratio))
        row.append(verdict_on(name, case, result["targets"]))
        rows.append(row)
    kept = [i for i in range(len(header)) if i == 0 or any(row[i] for row in rows)]
    return table([header[i] for i in kept], [[row[i] for i in kept] for row in rows])


def target_rows(results: dict, workloads: list[Workload]) -> list[list[str]]:
    rows = []
    for workload in workloads:
        for verdict in results[workload.name]["targets"]:
            case = f" ({verdict['case']})" if len(workload.cases) > 1 else ""
            text = verdict["text"] + case
            rows.append([workload.name, text, verdict["contender"], met(verdict), measured(verdict), bound(verdict)])
    return rows


def about_run(result: dict) -> str:
    counts = "Small counts, to see that all works: the figures mean nothing. " if result["quick"] else ""
    return (
        f"{counts}{result['when']}, {result['repetitions']} runs each. Load of the machine before: "
        f"{result['load_before']:.1f}; after, with our own: {result['load_after']:.1f}."
    )


def section(workload: Workload, result: dict, plot: bool) -> list[str]:
    title = workload.title[0].lower() + workload.title[1:]
    lines = [f"## {workload.name}: {title}", "", workload.about, ""]
    for case in workload.cases:
        if result["cases"].get(case.name):
            if len(workload.cases) > 1:
                lines += [f"### {case.name}", ""]
            lines += case_table(workload, case.name, result)
    for what in ("skipped", "failed"):
        if result[what]:
            lines += [f"{what.capitalize()}: {'; '.join(by_reason(result[what]))}.", ""]
    if plot:
        lines += [f"![{workload.name}]({workload.name}.svg)", ""]
    return [*lines, about_run(result), ""]


def machine_table(machines: dict[str, dict[str, str]]) -> list[str]:
    """What each workload was measured on. Where they differ, those of a value are named behind it."""
    rows = []
    for fact in dict.fromkeys(fact for machine in machines.values() for fact in machine):
        having: dict[str, list[str]] = {}
        for workload, machine in machines.items():
            having.setdefault(machine.get(fact, "not known"), []).append(workload)
        if len(having) == 1:
            rows.append([fact, *having])
        else:
            rows.append([fact, "; ".join(f"{value} ({', '.join(names)})" for value, names in having.items())])
    return table(["machine", ""], rows, left=2)


def render(latest: dict, workloads: list[Workload], plotted: set[str]) -> str:
    results = latest["workloads"]
    done = [workload for workload in workloads if workload.name in results]
    lines = ["# Measured by bench/run", ""]
    lines += machine_table({workload.name: results[workload.name]["machine"] for workload in done})
    lines += [
        "Figures are medians, with the least and the most beside them; ratios are of medians from the same "
        "run. The `README.md` of `bench` says how to read them.",
        "",
        "## Targets",
        "",
        *table(
            ["workload", "target", "contender", "", "measured", "bound"],
            target_rows(results, done),
            left=4,
        ),
    ]
    for workload in done:
        lines += section(workload, results[workload.name], workload.name in plotted)
    return "\n".join(lines).rstrip() + "\n"
