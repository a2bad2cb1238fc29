"""The report: the summary of an evaluation as a table for the terminal."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from napari_piclick.eval.figures import PAIR_SHARES
from napari_piclick.eval.nesting import ANSWERED, TOLD_APART
from napari_piclick.eval.protocol import PICKED_BY
from napari_piclick.eval.published import MEASURED_ON, published_rows

if TYPE_CHECKING:
    from napari_piclick.eval.published import PublishedRow
    from napari_piclick.eval.results import Results

_WIDTH = 78

#: Measures of the table and what they are called in it.
_MEASURES = {
    "miou@1": "mIoU@1",
    "mdice@1": "mean Dice@1",
    "noc80": "NoC80",
    "noc85": "NoC85",
    "noc90": "NoC90",
}

_IN_2D = (
    "Further selections are the clicks after which another proposal was better than the model's "
    "own pick; it matters where that is more than 0.05 of IoU. Proposals are different if their "
    "IoU is below 0.9. Seconds per click include the encoding of the images."
)
_IN_3D = (
    "Dice is that of the whole volume: after every click the object was followed through its "
    "slices, from the slice that was clicked. The first click is in the middle of the object on "
    "the slice where it is largest, later ones where the quality strip proposes a look. Seconds "
    "per click include following the object."
)


def format_report(results: Results) -> str:
    """The summary as a table beside the paper's row, and in words what the figures mean.

    Raises
    ------
    ValueError
        If there is no object.
    """
    summary, intervals = results.summary(), results.intervals()
    protocol = results.protocol
    published = (
        ()
        if protocol.volume
        else published_rows(results.dataset, results.model, protocol.max_clicks)
    )
    title = f"{results.model} on {results.dataset}"
    lines = [title, "-" * len(title)]
    lines.append(_row("", "here", "95 % interval", *_headings(published)).rstrip())
    for measure, name in _MEASURES.items():
        if measure not in summary:
            continue
        value = summary[measure]
        if value is None:
            lines.append(f"{name:<19}not measured (the run stopped at a lower IoU)")
            continue
        digits = 2 if "noc" in measure else 4
        low, high = intervals[measure]
        cells = [f"{value:.{digits}f}", f"{low:.{digits - 1}f} to {high:.{digits - 1}f}"]
        for row in published:
            stated = row.figures.get(measure)
            cells += ["", ""] if stated is None else [f"{stated:g}", f"{value - stated:+.3f}"]
        lines.append(_row(name, *cells).rstrip())
    images, kind = summary["images"], "volume" if results.protocol.volume else "image"
    lines += [
        f"{'objects':<19}{summary['objects']} on {images} {kind}{'' if images == 1 else 's'}",
        *_failures(summary),
        *([] if results.protocol.volume else _proposals(summary, intervals)),
        _line("seconds per click", f"{summary['seconds_per_click']:.3f}"),
        "",
        *_curve(results, summary),
        "",
        fill(_words(results, published), _WIDTH),
    ]
    return "\n".join(lines)


def _row(name: str, here: str, interval: str, *published: str) -> str:
    cells = "".join(f"{cell:>8}" for cell in published)
    return f"{name:<19}{here:<9}{interval:<17}{cells}"


def _headings(published: tuple[PublishedRow, ...]) -> list[str]:
    return [cell for row in published for cell in (row.backbone, "diff.")]


def _line(name: str, text: str) -> str:
    return f"{name:<19}{text}"


def _failures(summary: dict[str, float | int | None]) -> list[str]:
    lines = []
    for percent in (80, 85, 90):
        value = summary[f"failures{percent}"]
        text = "not measured (the run stopped at a lower IoU)" if value is None else str(value)
        lines.append(_line(f"failures at 0.{percent}", text))
    return lines


def _proposals(
    summary: dict[str, float | int | None], intervals: dict[str, tuple[float, float]]
) -> list[str]:
    """What is said of the proposals."""
    return [
        _line("best proposal", f"mIoU@1 {summary['best_miou@1']:.4f} if always picked"),
        _line("own pick's gap", f"{summary['gap@1']:.4f} of IoU to the best after one click"),
        _line("different ones", f"{summary['different@1']:.2f} proposals after one click"),
        *_part(summary),
        *_nested(summary, intervals),
        _line(
            "further selections",
            f"{summary['selections']:.2f} per object, {summary['clear_selections']:.2f} where it "
            "matters",
        ),
        *_selections_to(summary),
    ]


def _part(summary: dict[str, float | int | None]) -> list[str]:
    """How often the oracle has a part to thank; nothing of models that offer none."""
    share = summary["part_best@1"]
    if not share:
        return []
    text = f"best of them after one click for {100 * share:.1f} % of the objects"
    return [_line("a part, no mask", text)]


def _selections_to(summary: dict[str, float | int | None]) -> list[str]:
    found = summary["selections80"]
    return [] if found is None else [_line("", f"{found:.2f} of these on the way to 0.80")]


def _nested(
    summary: dict[str, float | int | None], intervals: dict[str, tuple[float, float]]
) -> list[str]:
    """How often one click proposes an object and the one around it; nothing without such pairs."""
    if not summary["nested"]:
        return []
    low, high = intervals["both@1"]
    pairs = "1 pair" if summary["nested"] == 1 else f"{summary['nested']} pairs"
    both, outer, inner = (f"{100 * (summary[name] or 0):.1f} %" for name in PAIR_SHARES[::-1])
    interval = f"{100 * low:.0f} to {100 * high:.0f} %"
    return [
        _line("nested", f"{pairs}: one click on the inner object proposes"),
        _line("", f"both {both} ({interval}), outer {outer}, inner {inner}"),
    ]


def _curve(results: Results, summary: dict[str, float | int | None]) -> list[str]:
    """The mean IoU after each click, five to a line."""
    last = results.protocol.max_clicks
    mean = "mdice" if results.protocol.volume else "miou"
    cells = [f"@{k:<3}{summary[f'{mean}@{k}']:.3f}" for k in range(1, last + 1)]
    heading = "mean Dice" if results.protocol.volume else "mIoU"
    lines = ["  ".join(cells[start : start + 5]) for start in range(0, last, 5)]
    return [_line(heading if start == 0 else "", line) for start, line in enumerate(lines)]


def _words(results: Results, published: tuple[PublishedRow, ...]) -> str:
    protocol = results.protocol
    thresholds = ", ".join(f"{t:g}" for t in sorted({r.threshold for r in results.objects}))
    measure = "Dice" if protocol.volume else "IoU"
    words = [
        PICKED_BY[protocol.pick],
        f"NoC is the mean number of clicks to that {measure}; an object that never got there "
        f"counts {protocol.max_clicks} and as a failure. A pixel belongs to a mask above "
        f"probability {thresholds}.",
        _IN_3D if protocol.volume else _IN_2D,
        "Intervals are bootstrapped over images.",
    ]
    if protocol.target_iou <= 1:
        words.append(
            f"Objects are finished at {'a' if protocol.volume else 'an'} {measure} of "
            f"{protocol.target_iou:g} and keep their last {measure} in the mean after later "
            "clicks."
        )
    if any(result.around for result in results.objects):
        words.append(
            "Nested: an object that lies inside another one, their IoU below "
            f"{TOLD_APART:g}; proposed: with an IoU of at least {ANSWERED:g}."
        )
    if published:
        words.append(
            "Beside: Table 2 of the paper, whose proposals are picked by the ground truth, on "
            f"{MEASURED_ON[results.dataset]}."
        )
    if published and protocol.pick != "oracle":
        words.append("To compare with it, pick in the same way: --pick oracle.")
    return " ".join(words)
