"""Where labels stand around points, so that they cover as little as can be."""

from __future__ import annotations

from collections.abc import Sequence

# The smallest drawing, in px, on which names must not lie on each other; letters of 12 px are about 6.6 px wide.
WIDTH, HEIGHT, LETTER, LINE = 300.0, 184.0, 6.6, 14.0
SWEEPS = 4
Box = tuple[float, float, float, float]
Segment = tuple[float, float, float, float]
Label = tuple[str, int, int, str]  # text, dx, dy, anchor
# Places of a label around its point: dx, dy of the base line, anchor.
PLACES = (
    (9, 4, "start"), (-9, 4, "end"), (9, -7, "start"), (-9, -7, "end"), (9, 15, "start"), (-9, 15, "end"),
    (0, -12, "middle"), (0, 20, "middle"), (9, -16, "start"), (-9, -16, "end"), (9, 24, "start"), (-9, 24, "end"),
)  # fmt: skip


def placed_labels(
    texts: Sequence[str], at: Sequence[tuple[float, float]], lines: Sequence[Segment], is_named: Sequence[bool]
) -> list[Label]:
    """Text and place of each label, where least lies below it.

    Args:
        texts: One a point; empty for a point without a label.
        at: Places of the points, 0 to 1 from left to right and from top to bottom.
        lines: What is drawn beside the points.
        is_named: Whether a point chooses before the others.
    """
    order = sorted((index for index, text in enumerate(texts) if text), key=lambda index: not is_named[index])
    dots = [_box(x, y, 0, 4, "middle", 1.5) for x, y in at]
    strokes = [_stroke(line) for line in lines]
    choices: dict[int, list[tuple[tuple[int, int, str], Box, float]]] = {}
    for index in order:
        x, y = at[index]
        boxes = [(place, _box(x, y, *place, len(texts[index]))) for place in PLACES]
        around = _hull([box for _, box in boxes])
        near = [box for other, box in enumerate(dots) if other != index and _overlap(around, box)]
        below = [box for box in strokes if _overlap(around, box)]
        choices[index] = [(place, box, _covers(box, near, below)) for place, box in boxes]
    taken: dict[int, tuple[tuple[int, int, str], Box, float]] = {}
    # Where a later label left an earlier one in a bad place, that one chooses again.
    for _ in range(SWEEPS):
        before = dict(taken)
        for index in order:
            others = [box for other, (_, box, _) in taken.items() if other != index]
            taken[index] = min(choices[index], key=lambda one: one[2] + _covers(one[1], others, ()))
        if taken == before:
            break
    return [(texts[index], *(taken[index][0] if index in taken else PLACES[0])) for index in range(len(texts))]


def _box(x: float, y: float, dx: int, dy: int, anchor: str, letters: float) -> Box:
    """Left, top, right and bottom of a label, in px of the smallest drawing."""
    width = letters * LETTER
    left = x * WIDTH + dx - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    bottom = y * HEIGHT + dy + 3
    return left, bottom - LINE, left + width, bottom


def _stroke(line: Segment) -> Box:
    """What a line covers, in px of the smallest drawing."""
    x1, y1, x2, y2 = line
    return (
        min(x1, x2) * WIDTH - 1,
        min(y1, y2) * HEIGHT - 1,
        max(x1, x2) * WIDTH + 1,
        max(y1, y2) * HEIGHT + 1,
    )


def _hull(boxes: Sequence[Box]) -> Box:
    """The smallest box around all of them."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _covers(box: Box, taken: Sequence[Box], strokes: Sequence[Box]) -> float:
    """How bad a label's place is: lines below it are read through its halo, other labels and points are not."""
    below = sum(_overlap(box, other) for other in taken)
    crossed = sum(_overlap(box, stroke) for stroke in strokes)
    return 5 * below + crossed + _outside(box)


def _overlap(one: Box, other: Box) -> float:
    if one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]:
        return 0.0
    return (min(one[2], other[2]) - max(one[0], other[0])) * (min(one[3], other[3]) - max(one[1], other[1]))


def _outside(box: Box) -> float:
    """How much of a label lies beyond the drawing, weighed more than lying on another."""
    beyond = max(0.0, -box[0]) + max(0.0, box[2] - WIDTH) + max(0.0, -box[1]) + max(0.0, box[3] - HEIGHT)
    return 50 * beyond
