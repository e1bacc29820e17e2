# SPDX-License-Identifier: BSL-1.0
"""A picture as SVG: boxes, arrows and words on a light panel, readable on any background.

A picture that cannot be read is refused: a text that does not fit into its box, leaves the picture,
or touches a line or another text. In a text `names` of the code and **bold** words are marked so.
"""
import re
from html import escape
from itertools import pairwise

INK, NAME, LINE, PAPER = "#1f2328", "#57606a", "#57606a", "#ffffff"

# Fill and edge.
KINDS = {
    "plain": ("#f6f8fa", "#57606a"),
    "parent": ("#ddf4ff", "#0969da"),
    "worker": ("#dafbe1", "#1a7f37"),
    "memory": ("#fff8c5", "#9a6700"),
    "pure": ("#fbefff", "#8250df"),
    "bad": ("#ffebe9", "#cf222e"),
    "panel": ("none", "#afb8c1"),
}
# Of arrows.
WAYS = {"there": "#0550ae", "back": "#116329", "bad": "#a40e26", "plain": "#424a53"}

# Advance widths of a wide sans-serif face, in hundredths of its size.
WIDTHS = {
    28: "'ijl", 29: "IJ", 32: " ,.·", 34: "/:;\\|", 36: "f-", 39: "()[]t!", 41: "r", 46: '"',
    50: "*_–", 52: "sz", 55: "?cL", 58: "Fk", 59: "vxy", 60: "P", 61: "TYao", 62: "e",
    63: "ESbdghnpqu", 64: "$0123456789{}", 68: "AVK", 70: "BRXZC", 75: "UHN", 79: "DG&OQ",
    84: "w#+<=>^~→←×≤", 86: "M", 95: "%", 97: "m", 99: "W", 100: "@…",
}
WIDTH_OF = {each: width for width, letters in WIDTHS.items() for each in letters}
BOLD = 1.14  # times as wide
LEAST_SIZE = 12


def number(value):
    return f"{value:.1f}".removesuffix(".0")


def width_of(text, size, bold):
    width = 0
    for index, part in enumerate(text.replace("`", "").split("**")):
        wide = BOLD if bold or index % 2 == 1 else 1
        width += sum(WIDTH_OF[each] for each in part) * size / 100 * wide
    return width


class Rect:
    """Where something lies, by its edges."""

    def __init__(self, left, top, right, bottom, what):
        self.left, self.top, self.right, self.bottom, self.what = left, top, right, bottom, what

    def meets(self, other):
        return (self.left < other.right and other.left < self.right and
                self.top < other.bottom and other.top < self.bottom)

    def lies_in(self, other):
        return (other.left <= self.left and self.right <= other.right and
                other.top <= self.top and self.bottom <= other.bottom)


class Picture:
    def __init__(self, file, title, description, width, height):
        self.file, self.title, self.description = file, title, description
        self.width, self.height = width, height
        self.shapes = []
        self.texts = []  # rectangles
        self.lines = []  # thin rectangles: arrows and the edges of boxes
        self.names = set()  # of the code

    # ---- what is drawn ------------------------------------------------------------------------

    def box(self, x, y, width, height, *lines, kind="plain", dashed=False, bold=True, mark=""):
        """A box with lines of text, the first of which is its name; `mark` stands in its corner."""
        fill, edge = KINDS[kind]
        dashes = ' stroke-dasharray="5 4"' if dashed else ""
        self.shapes.append(f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" '
                           f'height="{number(height)}" rx="6" fill="{fill}" stroke="{edge}" '
                           f'stroke-width="1.5"{dashes}/>')
        right, bottom = x + width, y + height
        for corners in pairwise([(x, y), (right, y), (right, bottom), (x, bottom), (x, y)]):
            self._occupy(*corners, "the edge of a box")
        inside = Rect(x + 4, y + 2, right - 4, bottom - 2, "a box")
        step = 17
        at = y + height / 2 - step * (len(lines) - 1) / 2 + 4.5
        for index, line in enumerate(lines):
            self.text(x + width / 2, at + step * index, line, bold=bold and index == 0,
                      align="middle", inside=inside)
        if mark:
            self.text(right - 7, y + 15, mark, size=12, align="end", colour=NAME, inside=inside)

    def panel(self, x, y, width, height, label, kind="panel"):
        """A frame around boxes, with its label in the upper left corner."""
        self.box(x, y, width, height, kind=kind, dashed=True)
        self.text(x + 12, y + 19, label, size=13, colour=NAME)

    def text(self, x, y, line, size=12.5, bold=False, align="start", colour=INK, inside=None):
        if size < LEAST_SIZE:
            raise ValueError(f"{self.file}: {line!r} is too small")
        width = width_of(line, size, bold)
        left = {"start": x, "middle": x - width / 2, "end": x - width}[align]
        place = Rect(left, y - 0.78 * size, left + width, y + 0.22 * size, repr(line))
        if not place.lies_in(inside or Rect(4, 4, self.width - 4, self.height - 4, "")):
            raise ValueError(f"{self.file}: {line!r} does not fit")
        self.texts.append(place)
        self.names.update(re.findall(r"`([^`]+)`", line))
        words = escape(line, quote=False)
        words = re.sub(r"`([^`]+)`", rf'<tspan fill="{NAME}">\1</tspan>', words)
        words = re.sub(r"\*\*(.+?)\*\*", r'<tspan font-weight="bold">\1</tspan>', words)
        weight = ' font-weight="bold"' if bold else ""
        anchor = "" if align == "start" else f' text-anchor="{align}"'
        self.shapes.append(f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" '
                           f'fill="{colour}"{weight}{anchor}>{words}</text>')

    def note(self, x, y, *lines, align="start", colour=INK, bold=False):
        """Lines of text without a box."""
        for index, line in enumerate(lines):
            self.text(x, y + 16 * index, line, align=align, colour=colour, bold=bold)

    def arrow(self, *points, way="plain", both=False, dashed=False):
        """Through all points, each straight above, below or beside the one before."""
        colour = WAYS[way]
        for start, end in pairwise(points):
            self._occupy(start, end, "an arrow")
        dashes = ' stroke-dasharray="5 4"' if dashed else ""
        drawn = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        self.shapes.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" '
                           f'stroke-width="2"{dashes}/>')
        self._head(points[-2], points[-1], colour)
        if both:
            self._head(points[1], points[0], colour)

    def _head(self, before, tip, colour):
        (x, y), long, wide = tip, 9, 5
        if before[0] == x:
            back = y - long if before[1] < y else y + long
            corners = [(x, y), (x - wide, back), (x + wide, back)]
        else:
            back = x - long if before[0] < x else x + long
            corners = [(x, y), (back, y - wide), (back, y + wide)]
        drawn = " ".join(f"{number(each)},{number(other)}" for each, other in corners)
        self.shapes.append(f'<polygon points="{drawn}" fill="{colour}"/>')

    def rule(self, x, y, to_x, to_y):
        """A thin line that divides."""
        self._occupy((x, y), (to_x, to_y), "a line")
        self.shapes.append(f'<line x1="{number(x)}" y1="{number(y)}" x2="{number(to_x)}" '
                           f'y2="{number(to_y)}" stroke="{KINDS["panel"][1]}"/>')

    def _occupy(self, start, end, what):
        (x, y), (to_x, to_y) = start, end
        if x != to_x and y != to_y:
            raise ValueError(f"{self.file}: a line from {start} to {end} is not straight")
        self.lines.append(Rect(min(x, to_x) - 1, min(y, to_y) - 1, max(x, to_x) + 1,
                               max(y, to_y) + 1, f"{what} from {start} to {end}"))

    # ---- what comes of it ---------------------------------------------------------------------

    def svg(self):
        for index, each in enumerate(self.texts):
            for other in self.texts[:index] + self.lines:
                if each.meets(other):
                    raise ValueError(f"{self.file}: {each.what} touches {other.what}")
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}" role="img" '
            'aria-labelledby="title description" font-family="sans-serif">',
            f'<title id="title">{escape(self.title, quote=False)}</title>',
            f'<desc id="description">{escape(self.description, quote=False)}</desc>',
            f'<rect x="0.5" y="0.5" width="{self.width - 1}" height="{self.height - 1}" rx="8" '
            f'fill="{PAPER}" stroke="#d0d7de"/>',
            *self.shapes,
            "</svg>",
            "",
        ])
