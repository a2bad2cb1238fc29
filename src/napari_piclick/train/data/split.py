"""The validation split: fixed by the name of a picture, so that it never moves."""

from __future__ import annotations

import hashlib

SPLITS = ("train", "validation", "all")

VALIDATION_SHARE = 0.12
"""About one picture in eight is held out."""


def is_validation(stem: str) -> bool:
    """Whether a picture of this name is held out for validation."""
    number = int.from_bytes(hashlib.sha256(stem.encode()).digest()[:4], "big")
    return number < VALIDATION_SHARE * 2**32


def in_split(stem: str, split: str) -> bool:
    """Whether a picture of this name belongs to ``"train"``, ``"validation"`` or ``"all"``.

    Raises
    ------
    ValueError
        If there is no such split.
    """
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}; it must be one of {', '.join(SPLITS)}.")
    return split == "all" or is_validation(stem) == (split == "validation")
