"""A spreadsheet (CSV) of an evaluation: one line for every click on every object."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from napari_piclick.io.whole_file import whole_file

if TYPE_CHECKING:
    import os

    from napari_piclick.eval.results import Results

COLUMNS = (
    "image", "object", "click", "row", "col", "positive", "iou", "picked", "proposed",
    "proposed_iou", "best", "best_iou", "seconds",
)  # fmt: skip


def write_csv(results: Results, path: str | os.PathLike[str]) -> None:
    """Write a line for every click: where it was, what was picked, and how good that is.

    ``picked`` is the proposal that counted, ``proposed`` the model's own pick and ``best`` the one
    with the greatest IoU, each numbered from 0.

    Raises
    ------
    VolumeError
        If the file cannot be written.
    """
    with whole_file(Path(path)) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for result in results.objects:
            for k, click in enumerate(result.clicks):
                ious = result.proposal_ious[k]
                own = result.proposed[k]
                best = max(ious)
                where = (result.image, result.object, k + 1, click.row, click.col)
                counted = (int(click.positive), result.ious[k], result.picked[k])
                others = (own, ious[own], ious.index(best), best, f"{result.seconds[k]:.6f}")
                writer.writerow((*where, *counted, *others))
