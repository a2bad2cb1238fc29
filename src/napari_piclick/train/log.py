"""The log of a run: a CSV file whose rows begin with the number of the step."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def append_row(path: Path, row: Mapping[str, float]) -> None:
    """Add a row to a log, and its header if it is the first."""
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(row)
        writer.writerow(v if isinstance(v, int) else f"{v:.5g}" for v in row.values())


def drop_rows(path: Path, last: int) -> None:
    """Take from a log all rows after step ``last``."""
    if not path.exists():
        return
    with path.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    kept = [header, *(row for row in rows if row and int(row[0]) <= last)]
    partial = path.with_suffix(".part")
    with partial.open("w", newline="") as file:
        csv.writer(file).writerows(kept)
    partial.replace(path)


def read_rows(path: Path) -> list[dict[str, float]]:
    """The rows of a log."""
    with path.open(newline="") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
