"""The curve: mean IoU against the number of clicks, drawn as a picture (Fig. 6 of the paper)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from napari_piclick.io.whole_file import whole_file

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

SIZE = (720, 480)
#: Colours that are told apart by people who see colours differently too (Okabe and Ito, 2008).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

_MARGINS = (64, 24, 700, 424)  # left, top, right, bottom of the plot
# Drawn larger and reduced, so that lines are smooth.
_SCALE = 3


def draw_curves(curves: Mapping[str, Sequence[float]], path: str | os.PathLike[str]) -> None:
    """Write a picture of one or more runs.

    Parameters
    ----------
    curves : for each run's name, the mean IoU after each click, from the first on.
    path : the picture to write; its suffix says how.

    Raises
    ------
    OSError, ValueError
        If the picture cannot be written, or not in this format.
    """
    picture = Image.new("RGB", (SIZE[0] * _SCALE, SIZE[1] * _SCALE), "white")
    axes = _Axes(ImageDraw.Draw(picture), curves)
    axes.draw_grid()
    for number, (name, ious) in enumerate(curves.items()):
        axes.draw_curve(ious, COLOURS[number % len(COLOURS)])
        axes.draw_name(name, COLOURS[number % len(COLOURS)], number - len(curves))
    with whole_file(Path(path)) as part:
        picture.resize(SIZE, Image.Resampling.LANCZOS).save(part)


class _Axes:
    """Where clicks and IoUs lie on the picture, and how they are drawn there."""

    def __init__(self, draw: ImageDraw.ImageDraw, curves: Mapping[str, Sequence[float]]) -> None:
        self._draw = draw
        self._last = max(max(map(len, curves.values())), 2)
        lowest = min(min(ious) for ious in curves.values())
        self._low = min(int(lowest * 10) / 10, 0.9)
        self._font = ImageFont.load_default(13 * _SCALE)

    def draw_grid(self) -> None:
        left, top, right, bottom = _MARGINS
        step = 0.05 if self._low >= 0.75 else 0.1
        for k in range(round((1 - self._low) / step) + 1):
            iou = self._low + k * step
            y = self._y(iou)
            self._line([(left, y), (right, y)], "#DDDDDD", 1)
            self._text((left - 8, y), f"{iou:.2f}", "rm")
        for click in range(1, self._last + 1):
            x = self._x(click)
            self._line([(x, bottom), (x, bottom + 4)], "#444444", 1)
            if self._last <= 20 or click % 5 == 0:
                self._text((x, bottom + 16), str(click), "mm")
        self._line([(left, top), (left, bottom), (right, bottom)], "#444444", 1)
        self._text(((left + right) / 2, SIZE[1] - 18), "clicks", "mm")
        self._text((left + 6, top - 12), "mean IoU", "lm")

    def draw_curve(self, ious: Sequence[float], colour: str) -> None:
        points = [(self._x(k), self._y(iou)) for k, iou in enumerate(ious, start=1)]
        self._line(points, colour, 2)
        for x, y in points:
            box = [(x - 3) * _SCALE, (y - 3) * _SCALE, (x + 3) * _SCALE, (y + 3) * _SCALE]
            self._draw.ellipse(box, fill=colour)

    def draw_name(self, name: str, colour: str, line: int) -> None:
        """Name a curve; lines are counted from the bottom, where curves leave room."""
        x, y = _MARGINS[2] - 8, _MARGINS[3] - 4 + 18 * line + 10
        self._text((x, y), name, "rm", colour)

    def _x(self, click: float) -> float:
        left, _, right, _ = _MARGINS
        return left + 12 + (right - left - 24) * (click - 1) / (self._last - 1)

    def _y(self, iou: float) -> float:
        _, top, _, bottom = _MARGINS
        return bottom - (bottom - top) * (iou - self._low) / (1 - self._low)

    def _line(self, points: Sequence[tuple[float, float]], colour: str, width: int) -> None:
        scaled = [(x * _SCALE, y * _SCALE) for x, y in points]
        self._draw.line(scaled, fill=colour, width=width * _SCALE, joint="curve")

    def _text(
        self, place: tuple[float, float], text: str, anchor: str, colour: str = "#444444"
    ) -> None:
        x, y = place
        self._draw.text((x * _SCALE, y * _SCALE), text, colour, self._font, anchor)
