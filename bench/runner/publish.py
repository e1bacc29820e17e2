# SPDX-License-Identifier: BSL-1.0
"""docs/performance.md: what is written there by hand, and below it the tables and plots of a run."""
import re
import shutil
from pathlib import Path

MARK = "<!-- All below is bench/run --publish -->\n"


def publish(results: Path, page: Path) -> None:
    """Replaces what is below the mark in `page`; the plots go into a folder of its name."""
    tables = (results / "latest.md").read_text()
    plots = page.with_suffix("")
    plots.mkdir(exist_ok=True)
    for name in re.findall(r"\]\((\w+\.svg)\)", tables):
        shutil.copyfile(results / name, plots / name)
    tables = re.sub(r"\]\((\w+\.svg)\)", rf"]({plots.name}/\1)", tables)
    # The page has a title of its own.
    tables = tables.split("\n", 1)[1].lstrip()

    by_hand, mark, _ = page.read_text().partition(MARK)
    if not mark:
        raise SystemExit(f"{page}: there is no line {MARK.strip()}")
    page.write_text(by_hand + mark + "\n" + tables)
