#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that includes in lib/ and include/ go the ways that are listed here, and no other.

Each folder of lib/ is a room. Its files include each other, and files of the rooms that are listed
for it. All of these stand below it: a change in a room never concerns a room below. A header in
include/ belongs to the room whose source file has the header's name.

What is listed must be used. Tests may include what they like.
"""
import pathlib
import re
import sys

# From bottom to top.
rooms = {
    "timing": [],
    "system": [],
    "runtime": ["system"],
    "messages": [],
    "errors": [],
    "program": ["errors"],
    "channel": ["timing", "system", "messages"],
    "links": ["timing", "system", "runtime", "messages", "channel"],
    "schedule": ["timing", "system", "messages"],
    "processes": ["timing", "system", "program"],
    "worker": ["timing", "system", "messages", "errors", "program", "channel", "processes"],
    "host": ["runtime", "messages", "errors", "program", "links", "processes"],
    "pool": ["system", "runtime", "messages", "errors", "program", "channel", "links", "schedule",
             "processes", "host"],
    "entry": ["errors", "program", "processes", "worker"],
}

# Headers for programs that lib/ and include/coterie/detail/ know. Of detail/ all may be included.
in_lib = ["cpus", "error", "init", "pool_options", "pool_stats", "remote_error", "remote_info", "this_worker"]
in_detail = ["call_options", "error", "event_loop", "ext/codec", "pool_options", "pool_stats",
             "remote_info"]

this_file = pathlib.Path(__file__).resolve()
root = this_file.parent.parent
order = list(rooms)
used = set()  # of the edges above
failures = []


def fail(where, edge, problem):
    failures.append(f"{where}: {edge}: {problem}")


def files_in(folder):
    files = (root / folder).rglob("*")
    return sorted(each for each in files if each.suffix in (".h", ".hpp", ".cpp"))


def includes_of(file):
    """Where they are, what they name, and whether in quotes."""
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if found := re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line):
            yield f"{file.relative_to(root)}:{number}", found[2], found[1] == '"'


def listed_at(name):
    lines = enumerate(this_file.read_text().splitlines(), 1)
    number = next(n for n, line in lines if re.match(rf'    "{name}":|{name} =', line))
    return f"{this_file.relative_to(root)}:{number}"


def check_room(where, source, target, name):
    edge = f"{source} -> {target} ({name})"
    if target not in rooms:
        fail(where, edge, "no folder of lib/ that this test knows: write ROOM/FILE.hpp, and list "
             f"a new room in {this_file.name}")
    elif order.index(target) > order.index(source):
        fail(where, edge, f"{target} stands above {source}: move what both need into {source} or "
             f"below, or what needs both into {target} or above")
    elif target not in rooms[source]:
        fail(where, edge, f"is not listed: do without, or list {target} for {source} in "
             f"{this_file.name} if {source} is to know it from now on")
    used.add((source, target))


def check_public(where, source, name, listing):
    if name not in globals()[listing]:
        fail(where, f"{source} -> {name}.hpp", "a header for programs that is not listed: move "
             f"what is needed into include/coterie/detail/, or list {name} ({listing}) in "
             f"{this_file.name} if {source} is to know it from now on")
    used.add((listing, name))


def public_name(name):
    return name.removeprefix("coterie/").removesuffix(".hpp")


sources = [each for each in files_in("lib") if each.suffix == ".cpp"]
room_of_name = {each.stem: each.parent.name for each in sources}

for file in files_in("lib"):
    room = file.parent.name
    if file.parent.parent != root / "lib" or room not in rooms:
        fail(f"{file.relative_to(root)}:1", "lib -> ?", "lies in no room of this test: list "
             f"its folder in {this_file.name}, above all that it includes")
        continue
    for where, name, quoted in includes_of(file):
        folder = name.split("/")[0]
        if folder == "coterie":
            target = room_of_name.get(pathlib.PurePath(name).stem, room)
            if not name.startswith("coterie/detail/"):
                check_public(where, f"lib/{room}", public_name(name), "in_lib")
        elif quoted or (root / "lib" / folder).is_dir():
            target = folder
        else:
            continue
        if target != room:
            check_room(where, room, target, name)

for file in files_in("include"):
    for where, name, quoted in includes_of(file):
        if quoted or (root / "lib" / name).exists():
            fail(where, f"include -> lib ({name})", "programs are compiled without lib/: include "
                 "<coterie/...>, and declare there what lib/ defines")
        elif file.parent.name == "detail" and re.match("coterie/(?!detail/)", name):
            check_public(where, "include/coterie/detail", public_name(name), "in_detail")

for room, targets in rooms.items():
    for target in targets:
        if target not in rooms or order.index(target) >= order.index(room):
            fail(listed_at(room), f"{room} -> {target}", "is listed, and does not go down: see "
                 "which of the two is to know the other")
        elif (room, target) not in used:
            fail(listed_at(room), f"{room} -> {target}", "is listed, not used: remove it")
for listing in ("in_lib", "in_detail"):
    for name in globals()[listing]:
        if (listing, name) not in used:
            fail(listed_at(listing), f"{listing} -> {name}.hpp", "is listed, not used: remove it")

table = (root / "docs/architecture.md").read_text()
shown = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
if shown != order[::-1]:
    fail("docs/architecture.md", " ".join(shown), "the table of folders is to show, from top to "
         f"bottom, {' '.join(order[::-1])}")

# Include guards hide a circle until one of its files is included before the others.
graph = {}
for folder in ("include", "lib"):
    for file in files_in(folder):
        graph[str(file.relative_to(root / folder))] = list(includes_of(file))
done = set()


def look_for_circle(name, path, where):
    if name in path:
        circle = path[path.index(name):] + [name]
        fail(where, " -> ".join(circle), "a circle: move what two of these files need into a file "
             "of its own")
    elif name in graph and name not in done:
        for place, each, _ in graph[name]:
            look_for_circle(each, path + [name], place)
        done.add(name)


for each in graph:
    look_for_circle(each, [], "")

print("\n".join(failures) or f"{len(graph)} files, {len(rooms)} rooms: all includes go down")
sys.exit(bool(failures))
