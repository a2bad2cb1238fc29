"""Saved prompts: the clicks and choices of a session in the window, to be repeated without one."""

from __future__ import annotations

import warnings
from collections import defaultdict
from typing import TYPE_CHECKING

from napari_piclick.io.errors import VolumeWarning
from napari_piclick.segment.clicks_file import ClicksError, ClicksFile, VolumeClick
from napari_piclick.session.place import Place
from napari_piclick.session.saved_session import SavedSession

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from napari_piclick.io.volume import Volume
    from napari_piclick.plane import Plane
    from napari_piclick.session.record import Making


def read_prompts(path: Path, volume: Volume) -> list[ClicksFile]:
    """Read a ``.piclick`` file, in the axis order of the image's file.

    Parameters
    ----------
    path : Path
    volume : Volume
        The image that the session was about.

    Returns
    -------
    list of ClicksFile
        One for each axis along which planes were clicked on.

    Raises
    ------
    SavedSessionError
        If it is damaged, or no saved session.
    ClicksError
        If it belongs to another image, or holds no clicks.

    Warns
    -----
    VolumeWarning
        If the image had another name.
    """
    saved = SavedSession.open(path, volume.name, rgb=volume.rgb)
    order = volume.geometry.order
    shape = tuple(volume.data.shape[axis] for axis in order)
    if saved.labels.shape != shape:
        raise ClicksError(
            f"{path} was saved with an image of {' x '.join(map(str, saved.labels.shape))}, but "
            f"{volume.name} is one of {' x '.join(map(str, shape))}: give the image it belongs to."
        )
    if saved.image.name != volume.name:
        warnings.warn(
            f"{path} was saved with an image that was called {saved.image.name}.",
            VolumeWarning,
            stacklevel=2,
        )
    clicks: dict[int | None, list[VolumeClick]] = defaultdict(list)
    chosen_of: dict[int | None, set[tuple[str, str]]] = defaultdict(set)
    starts: dict[int | None, dict[tuple[int, tuple[int, ...]], np.ndarray]] = defaultdict(dict)
    for label, record in sorted(saved.records.items()):
        for place, making in record.makings.items():
            if not isinstance(place, Place):
                continue
            plane = place.plane
            # the axis of the file that is sliced: the last one that the plane does not show
            axis = order[plane.hidden[-1]] if plane.hidden else None
            clicks[axis] += _clicks(making, plane, order, label)
            if making.choices:
                chosen_of[axis].add((making.model, making.weights_hash))
            start = making.start
            if start is not None:
                upright = plane.displayed[0] < plane.displayed[1]
                start = start if upright else start.T
                starts[axis][label, _hidden_index(plane, order)] = start
    if not clicks:
        raise ClicksError(f"There is no click in {path}: its objects were made in another way.")
    return [
        ClicksFile(tuple(given), axis, starts[axis], frozenset(chosen_of[axis]))
        for axis, given in clicks.items()
    ]


def _hidden_index(plane: Plane, order: tuple[int, ...]) -> tuple[int, ...]:
    """Where a plane lies along the axes that it does not show, in the order of the file's."""
    places = {order[axis]: plane.position(axis) for axis in plane.hidden}
    return tuple(places[axis] for axis in sorted(places))


def _clicks(making: Making, plane: Plane, order: tuple[int, ...], label: int) -> list[VolumeClick]:
    choices = dict(making.choices)
    clicks = []
    for count, click in enumerate(making.clicks, start=1):
        index = [0.0] * len(order)
        for axis, place in enumerate(plane.to_volume((click.row, click.col))):
            index[order[axis]] = float(place)
        clicks.append(VolumeClick(tuple(index), click.positive, label, choices.get(count)))
    return clicks
