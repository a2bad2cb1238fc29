"""The file of clicks: what to click on, in the axis order of the image's own reader.

::

    {"axis": 2, "clicks": [{"index": [120, 96, 75], "positive": true, "object": 1}]}

``axis`` is the axis that is sliced; ``index`` has one number for each axis of the array, as the
reader of the file's format has it (nibabel's for NIfTI). ``positive`` (true if left out) and
``object`` (1 if left out) may be left out. ``proposal`` may say which of the proposals is taken
after a click, counted from 0, instead of the model's own pick. ``model`` and ``weights`` (a
SHA-256), which ``--record`` writes, say whose proposals those are. What else the file holds is not
looked at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np


class ClicksError(ValueError):
    """Clicks cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class VolumeClick:
    """A click on a voxel.

    Parameters
    ----------
    index : tuple of float
        One number for each axis of the array.
    positive : bool
    object : int
        The label of the object that is meant; 1 or more.
    proposal : int, optional
        The proposal to be taken after it, counted from 0; the model's own pick if not said.
    """

    index: tuple[float, ...]
    positive: bool = True
    object: int = 1
    proposal: int | None = None


@dataclass(frozen=True, slots=True)
class ClicksFile:
    """The clicks on an image.

    Parameters
    ----------
    clicks : tuple of VolumeClick
        In the order they were made.
    axis : int, optional
        The axis that is sliced.
    starts : mapping of (object, index of the plane) to (H, W) bool
        The mask that the first click on a plane refines, where there was one; its rows run along
        the axis that comes first in a layer.
    chosen_of : set of (str, str)
        Names of the models whose proposals were chosen from, and the SHA-256 of their weights, as
        far as that is known.
    """

    clicks: tuple[VolumeClick, ...]
    axis: int | None = None
    starts: Mapping[tuple[int, tuple[int, ...]], np.ndarray] = field(default_factory=dict)
    chosen_of: frozenset[tuple[str, str]] = frozenset()

    @property
    def objects(self) -> tuple[int, ...]:
        """The labels of the objects, in the order of their first clicks."""
        return tuple(dict.fromkeys(click.object for click in self.clicks))

    def to_dict(self) -> dict[str, Any]:
        """The content of the file."""
        clicks = [
            {
                "index": list(click.index),
                "positive": click.positive,
                "object": click.object,
                **({} if click.proposal is None else {"proposal": click.proposal}),
            }
            for click in self.clicks
        ]
        axis = {} if self.axis is None else {"axis": self.axis}
        return {**axis, "clicks": clicks}


def read_clicks(path: Path) -> ClicksFile:
    """Read a file of clicks.

    Raises
    ------
    ClicksError
        If it is not there, or is not what this module describes.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ClicksError(f"The clicks {path} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise ClicksError(f"The clicks {path} are not JSON: {error}.") from error
    if not isinstance(content, dict) or not isinstance(content.get("clicks"), list):
        raise ClicksError(f'The clicks {path} must be of the form {{"axis": 2, "clicks": [...]}}.')
    axis = content.get("axis")
    if axis is not None and (not isinstance(axis, int) or isinstance(axis, bool)):
        raise ClicksError(f"The axis in {path} must be a whole number, not {axis!r}.")
    clicks = tuple(
        _click(click, f"Click {number} in {path}")
        for number, click in enumerate(content["clicks"], start=1)
    )
    if not clicks:
        raise ClicksError(f"There is no click in {path}.")
    model, weights = content.get("model"), content.get("weights")
    chosen_of: frozenset[tuple[str, str]] = frozenset()
    chosen = any(click.proposal is not None for click in clicks)
    if chosen and isinstance(model, str) and isinstance(weights, str):
        chosen_of = frozenset({(model, weights)})
    return ClicksFile(clicks, axis, chosen_of=chosen_of)


def _click(content: Any, where: str) -> VolumeClick:
    index = content.get("index") if isinstance(content, dict) else None
    if not isinstance(index, list) or not all(
        isinstance(i, int | float) and not isinstance(i, bool) and abs(i) < 2**53 for i in index
    ):
        raise ClicksError(f'{where} needs an "index", one number for each axis of the image.')
    positive, label = content.get("positive", True), content.get("object", 1)
    if not isinstance(positive, bool):
        raise ClicksError(f'{where}: "positive" must be true or false, not {positive!r}.')
    if not isinstance(label, int) or isinstance(label, bool) or not 1 <= label < 2**32:
        raise ClicksError(f'{where}: "object" must be a whole number from 1, not {label!r}.')
    proposal = content.get("proposal")
    if proposal is not None and (not isinstance(proposal, int) or proposal < 0):
        raise ClicksError(f'{where}: "proposal" must be a whole number from 0, not {proposal!r}.')
    return VolumeClick(tuple(index), positive, label, proposal)
