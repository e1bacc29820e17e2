# SPDX-License-Identifier: BSL-1.0
"""The life of a chunk, and which of its items are where while it runs."""
from canvas import NAME, Picture


def draw():
    picture = Picture(
        "chunk.svg", "The life of a chunk",
        "A chunk is cut from the input of a job for one worker, held by this worker, run, and "
        "done. What its worker has not begun comes back when it is revoked or the worker ends. It "
        "waits and is given to a worker again. What may have begun when the worker ends is lost. "
        "Below, the items of a chunk that runs: those that are sent, those whose results are "
        "published, the one that runs, those that are claimed and those that are not. A "
        "revocation takes the items that are not claimed. The end of the worker costs the item "
        "that runs.",
        860, 606)
    box, arrow, note, text = picture.box, picture.arrow, picture.note, picture.text
    states(box, arrow, note)
    picture.rule(24, 304, 836, 304)
    items(picture, box, note, text)
    note(24, 566, "A unit (a given `chunksize`) of which some is claimed stays with its worker as "
         "a whole. Over a socket nothing is",
         "revoked, and the end of the worker also costs what it had not sent, with what it had "
         "claimed behind that.", colour=NAME)
    return picture


def states(box, arrow, note):
    box(24, 32, 160, 78, "cut", "items of the input", "are encoded", "for one worker",
        kind="parent")
    box(256, 32, 160, 78, "held", "sent as `message::run`;", "its holder runs what", "came before",
        kind="worker")
    box(488, 32, 160, 78, "running", "its holder claims items,", "runs them, and",
        "publishes results", kind="worker")
    box(716, 32, 120, 78, "done", "every item has", "an outcome:", "`message::done`")
    box(256, 206, 328, 78, "waiting", "no worker holds it: it lies with its job,",
        "in the order of the input;", "if its call ends, it is forgotten", kind="parent")
    box(716, 206, 120, 78, "lost", "its items fail", "with", "`worker_crashed`", kind="bad")

    arrow((184, 71), (256, 71), way="there")
    note(218, 62, "sent", align="middle")
    arrow((416, 71), (488, 71), way="there")
    note(450, 62, "begun", align="middle")
    arrow((648, 71), (716, 71), way="there")
    arrow((280, 206), (280, 110), way="there")
    note(268, 146, "given to", "a worker again:", "`action::resend`", align="end")
    arrow((392, 110), (392, 206), way="back")
    arrow((568, 110), (568, 206), way="back")
    note(480, 138, "what is not begun,", "if it is revoked", "or the worker ends:",
         "split off if need be", align="middle")
    arrow((632, 110), (632, 245), (716, 245), way="bad")
    note(644, 146, "what may have begun,", "if the worker ends")


def items(picture, box, note, text):
    note(24, 330, "**The items of a chunk that runs, through shared memory**")
    edges = [168, 304, 440, 560, 690, 836]
    parts = [("finished", "sent in a frame"), ("published", "not sent yet"),
             ("running", "one item"), ("claimed", "runs next"), ("not claimed", "may be revoked")]
    # What says how far each part goes.
    marks = [(0, "`begin`", "of the chunk"), (1, "`done`", "in the ledger"),
             (2, "`whole`", "results"), (4, "`items`", "in the claims"), (5, "`end`", "")]
    for edge, name, where in marks:
        x = edges[edge]
        picture.rule(x, 380, x, 394)
        align = "end" if edge == 5 else "middle"
        note(x, 358, name, *[where][:1 if where else 0], align=align)
    kinds = {"running": "worker", "claimed": "worker", "not claimed": "parent"}
    top = 394
    for (name, words), left, right in zip(parts, edges, edges[1:]):
        box(left, top, right - left, 46, name, words, kind=kinds.get(name, "plain"))
    text(24, 422, "items", bold=True)

    text(24, 476, "a revocation", bold=True)
    box(edges[0], 454, edges[4] - edges[0], 36, "leaves these to the worker")
    box(edges[4], 454, edges[5] - edges[4], 36, "takes these", kind="parent")

    text(24, 522, "the worker's end", bold=True)
    box(edges[0], 500, edges[2] - edges[0], 36, "costs nothing here: results arrive")
    box(edges[2], 500, edges[3] - edges[2], 36, "fails this item", kind="bad")
    box(edges[3], 500, edges[5] - edges[3], 36, "sends these to another worker", kind="parent")
