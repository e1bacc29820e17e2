# SPDX-License-Identifier: BSL-1.0
"""Medians, ratios and targets: from runs to what is reported, as plain dictionaries."""
import statistics

from .measure import Measured
from .model import Metric, Target, Workload


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def judge(measured: Measured) -> dict:
    """All about one workload. Numbers are as the programs print them: seconds, bytes, tasks."""
    workload = measured.workload
    cases = {}
    for case in workload.cases:
        contenders = {}
        for contender in workload.contenders:  # in their order
            runs = measured.runs[case.name].get(contender.name)
            if not runs:
                continue
            metrics = {
                key: spread([run[key] for run in runs])
                for key in runs[0]
                if all(key in run for run in runs)
            }
            contenders[contender.name] = {"group": contender.group, "metrics": metrics, "runs": runs}
        add_ratios(workload, contenders)
        cases[case.name] = contenders
    targets = [
        verdict
        for target in workload.targets
        for each in target.for_each_loop()
        for verdict in verdicts(workload, each, cases, measured.failed)
    ]
    return {
        "title": workload.title,
        "about": workload.about,
        "cases": cases,
        "targets": targets,
        "skipped": measured.skipped,
        "failed": measured.failed,
    }


def median_of(contenders: dict, name: str, key: str) -> float | None:
    return contenders.get(name, {}).get("metrics", {}).get(key, {}).get("median")


def reference(beside, metric: Metric) -> tuple[str, str]:
    """The contender, and which number of it."""
    return (beside, metric.key) if isinstance(beside, str) else beside


def add_ratios(workload: Workload, contenders: dict) -> None:
    for contender in contenders.values():
        contender["ratios"] = ratios = {}
        for metric in workload.metrics:
            for beside in metric.beside:
                name, key = reference(beside, metric)
                ours = contender["metrics"].get(metric.key, {}).get("median")
                theirs = median_of(contenders, name, key)
                if ours is not None and theirs:
                    ratios.setdefault(metric.key, {})[name] = ours / theirs


def best(workload: Workload, target: Target, contenders: dict) -> tuple[str, float] | None:
    """The best of the contenders that the target compares with."""
    key = target.of_metric or target.metric
    found = [(name, median_of(contenders, name, key)) for name in target.of]
    found = [(name, value) for name, value in found if value is not None]
    if not found:
        return None
    less = any(metric.key == key and metric.less_is_better for metric in workload.metrics)
    return (min if less else max)(found, key=lambda each: each[1])


def verdicts(workload: Workload, target: Target, cases: dict, failed: dict) -> list[dict]:
    """One for each case that the target is about."""
    result = []
    for case, contenders in cases.items():
        if target.case is not None and target.case != case:
            continue
        verdict = {
            "text": target.text,
            "case": case,
            "metric": target.metric,
            "contender": target.contender[0],
            "of": None,
            "value": None,
            "at_most": target.at_most,
            "at_least": target.at_least,
            "met": None,  # not measured
            "failed": any(f"{name}, {case}" in failed for name in target.contender),
        }
        result.append(verdict)
        for name in target.contender:
            value = median_of(contenders, name, target.metric)
            if value is not None:
                verdict["contender"] = name
                break
        else:
            continue
        if target.of:
            other = best(workload, target, contenders)
            if other is None or other[1] == 0:
                continue
            verdict["of"] = other[0]
            value /= other[1]
        verdict["value"] = value
        verdict["met"] = (target.at_most is None or value <= target.at_most) and (
            target.at_least is None or value >= target.at_least
        )
    return result
