"""The report: the summary of an evaluation as a table for the terminal."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from napari_piclick.eval.protocol import PICKED_BY

if TYPE_CHECKING:
    from napari_piclick.eval.results import Results

_WIDTH = 78


def format_report(results: Results) -> str:
    """The summary as a table, and in words what the figures mean.

    Raises
    ------
    ValueError
        If there is no object.
    """
    summary = results.summary()
    images = len({result.image for result in results.objects})
    max_clicks = results.protocol.max_clicks
    rows = [
        ("objects", f"{summary['objects']} on {images} {'image' if images == 1 else 'images'}"),
        ("mIoU@1", f"{summary['miou@1']:.4f}"),
        ("NoC80", _figure(summary["noc80"])),
        ("NoC85", _figure(summary["noc85"])),
        ("NoC90", _figure(summary["noc90"])),
        ("failures at 0.80", _figure(summary["failures80"])),
        ("seconds per click", f"{summary['seconds_per_click']:.3f}"),
    ]
    title = f"{results.model} on {results.dataset}"
    lines = [title, "-" * len(title), *(f"{name:<19}{value}" for name, value in rows), ""]
    thresholds = ", ".join(f"{t:g}" for t in sorted({r.threshold for r in results.objects}))
    words = (
        f"{PICKED_BY[results.protocol.pick]} NoC is the mean number of clicks to that IoU; an "
        f"object that never got there counts {max_clicks} and, for 0.80, as a failure. A pixel "
        f"belongs to a mask above probability {thresholds}. Seconds per click include the "
        "encoding of the images."
    )
    lines.append(fill(words, _WIDTH))
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    if value is None:
        return "not measured (the run stopped at a lower IoU)"
    return str(value) if isinstance(value, int) else f"{value:.2f}"
