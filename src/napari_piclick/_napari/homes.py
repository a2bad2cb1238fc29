"""The homes: which image labels belong to, and what tells that image from all others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from napari_piclick._napari.view import level_zero, voxel_size
from napari_piclick.session.image_identity import ImageIdentity

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari.layers import Image, Labels

    from napari_piclick._napari.destination import Destination
    from napari_piclick._napari.viewfinder import Viewfinder
    from napari_piclick.session.label_map import LabelMap


@dataclass(frozen=True)
class Home:
    """An image layer with the data that it has, or had.

    Parameters
    ----------
    image : hashable
        Stands for the layer in planes.
    identity : ImageIdentity
    shape : tuple of int
        Size in voxels, colours left out.
    path : Path or None
        The file that it was read from.
    rgb : bool
        Whether it has colours.
    """

    image: Hashable
    identity: ImageIdentity
    shape: tuple[int, ...]
    path: Path | None
    rgb: bool


def layer_of(labels: LabelMap) -> Labels | None:
    """The layer that labels are in; None for those of a script."""
    return getattr(labels, "layer", None)


def name_of(labels: LabelMap, otherwise: str = "") -> str:
    """The name of the layer that labels are in."""
    layer = layer_of(labels)
    return otherwise if layer is None else str(layer.name)


class Homes:
    """Remembers the image of labels, so that it is known when another one is in view.

    Parameters
    ----------
    view : Viewfinder
    destination : Destination
    """

    def __init__(self, view: Viewfinder, destination: Destination) -> None:
        self._view = view
        self._destination = destination
        self._seen: WeakKeyDictionary[Image, tuple[Any, Home]] = WeakKeyDictionary()
        self._known: WeakKeyDictionary[LabelMap, Home] = WeakKeyDictionary()

    @property
    def here(self) -> Home | None:
        """The image in view."""
        image = self._view.image
        return None if image is None else self._home_at(image)

    def of(self, labels: LabelMap) -> Home | None:
        """The image of labels: the one that they were chosen or made for."""
        image = self._destination.image_of(layer_of(labels)) or self._view.image
        home, known = None if image is None else self._home_at(image), self._known.get(labels)
        mine = known is None or (home is not None and home.image == known.image)
        if home is not None and mine and home.shape == tuple(labels.data.shape):
            self._known[labels] = home
        return self._known.get(labels)

    def spacing(self, labels: LabelMap) -> tuple[float, ...] | None:
        """Size of a voxel of the image of labels; None if that is not there any more."""
        home = self._known.get(labels)
        images = (image for image, (_, known) in self._seen.items() if known == home)
        return next((voxel_size(image) for image in images), None)

    def _home_at(self, image: Image) -> Home:
        data = level_zero(image)
        known = self._seen.get(image)
        # a layer may be given other data, of another size even
        if known is None or known[0] is not data:
            identity = ImageIdentity.of(image.name, data, rgb=bool(image.rgb))
            source = image.source.path
            home = Home(
                image.unique_id,
                identity,
                identity.shape[: image.ndim],
                None if source is None else Path(source),
                bool(image.rgb),
            )
            known = self._seen[image] = (data, home)
        return known[1]
