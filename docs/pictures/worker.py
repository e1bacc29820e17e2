# SPDX-License-Identifier: BSL-1.0
"""The life of a worker: its stages, and every way in which it leaves them."""
from canvas import NAME, Picture


def draw():
    picture = Picture(
        "worker.svg", "The life of a worker",
        "A worker is planned, starting, ready and leaving, one after another. From each stage it "
        "may go at once: a planned one when it is not wanted any more or cannot be started, a "
        "starting one when its start fails, a ready one when it crashes or is killed by the pool, "
        "a leaving one when its process ends. When its process is reaped its rank is free, and "
        "the next worker of this rank is planned.",
        860, 596)
    box, arrow, note, text = picture.box, picture.arrow, picture.note, picture.text

    # The stages (`worker_stage`), from top to bottom, and what leads from each to the next.
    stages = [
        (80, 60, "planned", ["its process waits", "to be started"], "the process runs"),
        (196, 60, "starting", ["greets with `hello`,", "runs the initializer"], "it says `ready`"),
        (312, 90, "ready", ["runs the chunks", "that it is given"],
         "the pool is closed, and no job is left"),
        (458, 74, "leaving", ["ends what it holds,", "runs the finalizer"], ""),
    ]
    for (top, height, name, lines, step), below in zip(stages, stages[1:] + [None]):
        box(24, top, 180, height, name, *lines, kind="worker")
        if below:
            arrow((114, top + height), (114, below[0]), way="there")
            note(126, (top + height + below[0]) / 2 + 4, step)
    box(716, 80, 120, 452, "gone", "its process", "is reaped,", "its rank is free", kind="plain")

    # The ways out, each with what is written above it.
    ways = [
        (104, "plain", "not wanted any more: it is forgotten"),
        (132, "bad", "**start failed**: the process could not be made"),
        (248, "bad", "**start failed**: the initializer threw, the process ended,",
         "or the pool killed it: `start_timed_out`, `broke_rules`,", "`lost_link`, `unwanted`"),
        (350, "bad", "**crashed**: the process ended by itself, or the pool",
         "killed it: `broke_rules`, `lost_link`"),
        (394, "plain", "**killed**: the call that it ran was cancelled,",
         "or the pool was terminated: `unwanted`"),
        (484, "plain", "**left**: the process ended, in whatever way"),
        (518, "plain", "**killed**: the pool was terminated: `unwanted`"),
    ]
    for y, way, *words in ways:
        arrow((204, y), (716, y), way=way)
        note(222, y - 6 - 16 * (len(words) - 1), *words)

    # The next of the same rank.
    arrow((776, 80), (776, 46), (114, 46), (114, 80), way="there")
    text(445, 36, "`crew::fill` plans the next worker of the rank; after failed starts "
         "`restart_policy` decides when", align="middle")

    note(24, 562, "**Bold**: how the end is taken (`departure`). A worker that the pool kills "
         "(`kill_reason`) keeps its stage until",
         "its process is reaped. What it had sent or published by then is taken in first, unless it broke the rules.",
         colour=NAME)
    return picture
