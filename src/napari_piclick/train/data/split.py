"""The validation split: which pictures are held out follows from their names.

Where many are held out, a name alone says where a picture belongs, and nothing moves as others are
added. Of a handful none may be held out by its name, or all: then one stands in, and it may be
another once a picture is added.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SPLITS = ("train", "validation", "all")

VALIDATION_SHARE = 0.12
"""About one picture in eight is held out."""


def divide(stems: Sequence[str], split: str) -> list[str]:
    """The pictures of a split, by their names without an ending.

    Of two or more, at least one is held out and at least one trained on, and none is both; a
    single one is in every split.

    Parameters
    ----------
    stems : sequence of str
    split : str
        ``"train"``, ``"validation"`` or ``"all"``.

    Raises
    ------
    ValueError
        If there is no such split.
    """
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}; it must be one of {', '.join(SPLITS)}.")
    if split == "all" or len(stems) < 2:
        return list(stems)
    places = {stem: _place(stem) for stem in stems}
    held = {stem for stem in stems if places[stem] < VALIDATION_SHARE}
    # of a handful, all may fall on one side
    held = held or {min(stems, key=places.__getitem__)}
    if len(held) == len(places):
        held -= {max(stems, key=places.__getitem__)}
    return [stem for stem in stems if (stem in held) == (split == "validation")]


def _place(stem: str) -> float:
    """A number from 0 to 1 that follows from the name alone."""
    return int.from_bytes(hashlib.sha256(stem.encode()).digest()[:4], "big") / 2**32
