"""Unions of label values that are objects: ``targets.json`` beside labels, in folders of one's own.

The file is ``{"<stem>" or "*": [[1], [1, 2], ...]}``: on each image the unions listed under its
stem, or else under ``*``, are the objects; without either, each value is one. A union of which the
image has no pixel is left out there, and so is one that has the same pixels as an earlier one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.eval.datasets.dataset import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

Targets = dict[str, list[list[int]]]


def unions_in(labels: np.ndarray, targets: Targets, stem: str) -> dict[str, frozenset[int]]:
    """The objects on an image or in a volume: the label values of each that occur, by name."""
    present = [int(value) for value in np.unique(labels) if value]
    listed = targets.get(stem, targets.get("*"))
    found: dict[str, frozenset[int]] = {}
    for union in listed if listed is not None else [[value] for value in present]:
        values = frozenset(union).intersection(present)
        if values and values not in found.values():
            found["+".join(map(str, union))] = values
    return found


def read_targets(path: Path) -> Targets:
    """Unions of label values by image stem; empty if there is no such file.

    Raises
    ------
    DatasetError
        If the file cannot be read or has another form.
    """
    if not path.is_file():
        return {}
    try:
        targets = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(targets, dict) or not all(map(_are_unions, targets.values())):
        raise DatasetError(
            f'{path} must look like {{"*": [[1], [1, 2]]}}: lists of positive label values by '
            "image stem, or by * for all images."
        )
    return targets


def _are_unions(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(union, list) and union and all(type(v) is int and v > 0 for v in union)
        for union in value
    )
