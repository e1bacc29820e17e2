# SPDX-License-Identifier: BSL-1.0
"""The way of a call, from the program to a worker and back."""
from canvas import NAME, Picture

# The steps of "One map, from call to result" in architecture.md. Marks are their numbers.
STEPS = ["The call", "The handler", "The sequencer", "The job", "The decision", "The chunk",
         "The messages", "The link", "The worker", "The items", "The results", "The event",
         "The check", "The values", "The end", "The coroutine"]


def draw():
    picture = Picture(
        "call.svg", "The way of a call",
        "In the parent process a call becomes a job. The dispatcher takes it to the scheduler, "
        "which decides over the ledger of chunks and answers with actions. The dispatcher carries "
        "them out: it has items encoded and hands them to the worker host, whose link brings them "
        "to a worker. The worker's loop runs the task, which calls the function for each item. The "
        "results go back through the link, the host and the dispatcher to the result taker, which "
        "makes values of them, and to the delivery, which resumes the coroutine.",
        860, 640)
    box, arrow, note, text = picture.box, picture.arrow, picture.note, picture.text

    picture.panel(16, 16, 516, 578, "the program: the parent process")
    picture.panel(632, 16, 212, 578, "a worker: the same program")

    # The parent, from top to bottom.
    box(32, 48, 484, 44, "your coroutine", "`co_await pool.map(f, items)`", kind="plain",
        mark="1, 16")
    box(32, 134, 230, 60, "job", "function and input,", "their types erased: `call_job`",
        kind="parent", mark="1–4")
    box(286, 134, 230, 60, "delivery", "calls the handler", "on its executor: `deliver_all`",
        kind="parent", mark="16")
    box(286, 226, 230, 60, "result taker", "makes values of bytes:", "`collecting_taker`",
        kind="parent", mark="14, 15")
    picture.rule(16, 308, 532, 308)
    text(44, 302, "types", colour=NAME)
    text(44, 323, "bytes", colour=NAME)

    box(32, 346, 282, 78, "dispatcher", "brings events to the scheduler,",
        "carries out its actions", "on jobs and on workers", kind="parent", mark="4–7, 13")
    box(386, 346, 130, 78, "scheduler", "decides over", "the `ledger`", "of chunks", kind="pure",
        mark="5")
    box(32, 462, 484, 44, "worker host",
        "starts workers, greets them, carries messages: `local_host`", kind="parent", mark="7, 12")
    box(32, 540, 484, 44, "link", "the parent's end", kind="memory", mark="8, 12")

    # The worker, from bottom to top.
    box(648, 540, 180, 44, "link", "the worker's end", kind="memory", mark="8, 11")
    box(648, 446, 180, 60, "worker loop", "takes frames: `worker_loop`,", "sends results: `worker_sink`",
        kind="worker", mark="9, 11")
    box(648, 346, 180, 60, "task", "claims items, decodes,", "encodes: `function_task`",
        kind="worker", mark="10")
    box(648, 242, 180, 44, "your function", "`f(item)`", kind="plain", mark="10")
    box(648, 48, 180, 60, "main", "`init` serves the tasks", "and never returns", kind="plain")
    note(738, 140, "Each other worker is", "the same, with a link", "of its own.", align="middle",
         colour=NAME)

    # There.
    arrow((90, 92), (90, 134), way="there")
    note(100, 118, "the call")
    arrow((147, 194), (147, 346), way="there")
    arrow((120, 424), (120, 462), way="there")
    note(130, 448, "a chunk, as messages")
    arrow((120, 506), (120, 540), way="there")
    arrow((516, 552), (648, 552), way="there")
    arrow((684, 540), (684, 506), way="there")
    arrow((684, 446), (684, 406), way="there")
    arrow((684, 346), (684, 286), way="there")
    note(692, 320, "item")

    # And back.
    arrow((792, 286), (792, 346), way="back")
    note(784, 320, "result", align="end")
    arrow((792, 406), (792, 446), way="back")
    arrow((792, 506), (792, 540), way="back")
    arrow((648, 572), (516, 572), way="back")
    arrow((300, 540), (300, 506), way="back")
    arrow((300, 462), (300, 424), way="back")
    note(310, 448, "results, as messages")
    arrow((300, 346), (300, 286), way="back")
    arrow((401, 226), (401, 194), way="back")
    arrow((460, 134), (460, 92), way="back")
    note(450, 118, "the vector of results", align="end")

    # The decision.
    arrow((314, 368), (386, 368))
    note(350, 362, "events", align="middle")
    arrow((386, 406), (314, 406))
    note(350, 400, "actions", align="middle")
    note(582, 493, "frames, in", "shared", "memory or", "by a socket", align="middle")

    arrow((16, 614), (44, 614), way="there")
    text(52, 618, "there")
    arrow((126, 614), (98, 614), way="back")
    text(134, 618, "back")
    box(180, 606, 16, 16, kind="pure")
    text(204, 618, "pure: it decides and does nothing else")
    text(844, 618, "numbers: the steps of docs/architecture.md", colour=NAME, align="end")
    return picture
