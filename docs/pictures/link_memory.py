# SPDX-License-Identifier: BSL-1.0
"""What a link through shared memory consists of, and which side writes what."""
from canvas import NAME, Picture

LEFT, RIGHT = 214, 646  # of the memory
PARENT, WORKER = 126, 734  # the edges of the two processes


def draw():
    picture = Picture(
        "link_memory.svg", "The memory of a link",
        "Parent and worker share one memory file of four parts: the word of claims, which both "
        "change; a ring of bytes to the worker; a ring of bytes to the parent; and the published "
        "results, which the worker writes. Each ring has four words, each on a cache line of its "
        "own: head and writer_waits are set by its writer, tail and reader_sleeps by its reader. "
        "Beside it there are segments for large payloads, three for arguments and two for results, "
        "and a socket pair for doorbells and descriptors.",
        860, 760)
    box, text = picture.box, picture.text

    box(16, 16, 110, 706, "parent", "its end", "of the link", kind="parent")
    box(734, 16, 110, 706, "worker", "its end", "of the link", kind="worker")

    picture.panel(202, 16, 456, 500, "one memory file of fixed size: `ring_pair`")
    region(picture, 44, "claims", "one word on its cache line",
           [("items", "worker"), ("begun", "worker"), ("revoked", "parent")], "")
    hand(picture, 88, "revokes", "claims", "both")
    region(picture, 132, "ring to the worker", "each word on its cache line",
           [("head", "parent"), ("tail", "worker"), ("reader_sleeps", "worker"),
            ("writer_waits", "parent")], "frames on their way: 16 to 256 KiB")
    hand(picture, 226, "writes", "reads", "down")
    region(picture, 260, "ring to the parent", "each word on its cache line",
           [("head", "worker"), ("tail", "parent"), ("reader_sleeps", "parent"),
            ("writer_waits", "worker")], "frames on their way: 16 to 256 KiB")
    hand(picture, 354, "reads", "writes", "up")
    region(picture, 388, "published results", "one cache line of words",
           [(each, "worker") for each in ("whole", "sent", "job", "chunk", "first")],
           "results that are not sent yet: 16 to 64 KiB")
    hand(picture, 482, "checks", "publishes", "up")

    picture.panel(202, 526, 456, 118, "segments: memory files for payloads of 256 KiB and more")
    box(LEFT, 554, RIGHT - LEFT, 36, "3 for arguments, read-only for the worker", kind="memory",
        bold=False)
    hand(picture, 572, "encodes", "reads", "down")
    box(LEFT, 598, RIGHT - LEFT, 36, "2 for results, made when the worker asks", kind="memory",
        bold=False)
    hand(picture, 616, "decodes", "encodes", "up")

    box(LEFT, 658, RIGHT - LEFT, 60, "socket pair",
        "first the `link_offer`; then only a `doorbell` for a side that sleeps,",
        "and descriptors of segments")
    picture.arrow((PARENT, 688), (LEFT, 688), both=True)
    picture.arrow((RIGHT, 688), (WORKER, 688), both=True)

    text(16, 742, "Under each word stands the side that sets it. The other side clears "
         "`reader_sleeps` or `writer_waits` when it wakes it.", colour=NAME)
    return picture


def region(picture, top, name, size, words, payload):
    """A part of the memory: its words, each with the side that sets it, and the bytes behind."""
    picture.box(LEFT, top, RIGHT - LEFT, 118 if payload else 78, kind="memory")
    picture.text(LEFT + 10, top + 19, name, bold=True)
    picture.text(RIGHT - 10, top + 19, size, align="end", colour=NAME)
    width = (RIGHT - LEFT - 16) / len(words)
    for index, (word, side) in enumerate(words):
        picture.box(LEFT + 8 + index * width, top + 28, width, 42, f"`{word}`", side, kind=side,
                    bold=False)
    if payload:
        picture.box(LEFT + 8, top + 76, RIGHT - LEFT - 16, 34, payload, bold=False)


def hand(picture, y, parent, worker, way):
    """What each side does with a part of the memory: bytes go down to the worker, or up; or both
    sides write."""
    for left, right, down in [(PARENT, LEFT, way != "up"), (RIGHT, WORKER, way == "down")]:
        ends = [(left, y), (right, y)]
        picture.arrow(*(ends if down else ends[::-1]), way="there" if down else "back")
    picture.text((PARENT + LEFT - 12) / 2, y - 8, parent, align="middle")
    picture.text((RIGHT + 12 + WORKER) / 2, y - 8, worker, align="middle")
