"""Label maps of real pictures: which of their values, unions and pieces are objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from skimage.measure import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.train.scene import Scene


@dataclass(frozen=True)
class LabelKind:
    """What the values of a label map mean.

    Parameters
    ----------
    name : group of the targets, for example ``"annotated"``.
    share : share of the primary targets; see ``Scene.shares``.
    unions : each entry is the set of values that make one kind of object, so that targets
        may be nested; None: each non-zero value is one object.
    mergeable : whether touching objects may also be taken together.
    """

    name: str = "annotated"
    share: float = 1.0
    unions: tuple[tuple[int, ...], ...] | None = None
    mergeable: bool = True


def add_labels(scene: Scene, labels: np.ndarray, kind: LabelKind) -> Scene:
    """Add a label map to a scene, with its nested unions and its connected pieces.

    Where a union consists of several pieces, each piece is a target of the kind, and all of
    them together are one more: a click on one hippocampus of two may mean either.

    Parameters
    ----------
    labels : (H, W) of any integer type.
    """
    pieces = label(labels, background=0, connectivity=2)
    if pieces.max() > 65535:
        raise ValueError(
            f"A label map has {pieces.max()} separate pieces, more than 65535. "
            "Please check that it is a label map and not a picture."
        )
    pieces = pieces.astype(np.uint16)
    value_of = np.zeros(int(pieces.max()) + 1, np.int64)
    value_of[pieces.ravel()] = labels.ravel()
    if kind.unions is None:
        objects = _single_values(value_of)
    else:
        objects = [found for union in kind.unions for found in _union(pieces, value_of, union)]
    wholes = {tuple(sorted(v for piece in found for v in piece)) for found in objects if found}
    each = {piece for found in objects for piece in found}
    share = kind.share
    scene = scene.with_layer(
        pieces, kind.name, share, values=sorted(each), mergeable=kind.mergeable
    )
    several = sorted(wholes - each)
    if not several:
        return scene
    return scene.with_targets(len(scene.layers) - 1, several, f"whole {kind.name}", 0.25 * share)


def _single_values(value_of: np.ndarray) -> list[list[tuple[int, ...]]]:
    """For each value, its pieces."""
    found: dict[int, list[tuple[int, ...]]] = {}
    for piece, value in enumerate(value_of.tolist()):
        if piece:
            found.setdefault(value, []).append((piece,))
    return list(found.values())


def _union(
    pieces: np.ndarray, value_of: np.ndarray, union: Sequence[int]
) -> list[list[tuple[int, ...]]]:
    """The connected objects of a union of values, each as a tuple of pieces."""
    member = np.isin(value_of, union)
    member[0] = False
    if not member.any():
        return []
    objects = label(member[pieces], connectivity=2)
    codes = np.unique(objects.astype(np.int64) * len(value_of) + pieces)
    parts: dict[int, list[int]] = {}
    for code in codes.tolist():
        number, piece = divmod(code, len(value_of))
        if number:
            parts.setdefault(number, []).append(piece)
    return [[tuple(sorted(part)) for part in parts.values()]]
