"""The scene: a picture with label maps and the list of things that count as its objects."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.train.neighbours import grow_unions
from napari_piclick.train.sample import TrainingSample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari_piclick.train.geometry import View

MIN_AREA = 20
"""Objects with fewer pixels than this in the sample are no targets."""

MAX_COVER = 0.97
"""Objects that cover more of the sample than this are no targets: there is no outside to click."""


@dataclass(frozen=True, slots=True)
class Target:
    """One object of a scene: the pixels of some values of one label map.

    Parameters
    ----------
    layer : index of the label map.
    values : the label values that together are the object.
    group : the kind of object; see ``Scene.shares``.
    """

    layer: int
    values: tuple[int, ...]
    group: str


@dataclass(frozen=True)
class Scene:
    """A picture before it is cropped, at its own size.

    Keeping label maps instead of masks makes a scene with hundreds of overlapping objects
    cheap to resample: one nearest-neighbour pass per layer.

    Parameters
    ----------
    image : (H, W) or (H, W, 3), values 0..255 of any real type.
    source : the name that the samples will carry.
    layers : (H, W) uint16 label maps, 0 is nothing. Objects of one layer do not overlap.
    targets : what is an object.
    shares : group -> share of the primary targets, relative to the other groups. Members of
        a group divide its share, so that hundreds of superpixels cannot crowd out one tumour.
    spacing : (row, column) size of a pixel; only the ratio matters.
    upright : True if the picture has a top and a bottom, as photographs do.
    mergeable : layers of which touching objects may also be taken together.
    """

    image: np.ndarray
    source: str
    layers: tuple[np.ndarray, ...] = ()
    targets: tuple[Target, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    spacing: tuple[float, float] = (1.0, 1.0)
    upright: bool = False
    mergeable: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return int(self.image.shape[0]), int(self.image.shape[1])

    def with_layer(
        self,
        labels: np.ndarray,
        group: str,
        share: float,
        *,
        values: Iterable[tuple[int, ...]] | None = None,
        mergeable: bool = False,
    ) -> Scene:
        """The same scene with one more label map, (H, W).

        ``values`` lists the objects (default: each non-zero value is one).
        """
        index = len(self.layers)
        if values is None:
            values = [(int(value),) for value in np.unique(labels) if value]
        grown = replace(
            self,
            layers=(*self.layers, labels.astype(np.uint16, copy=False)),
            mergeable=(*self.mergeable, index) if mergeable else self.mergeable,
        )
        return grown.with_targets(index, values, group, share)

    def with_targets(
        self, layer: int, values: Iterable[tuple[int, ...]], group: str, share: float
    ) -> Scene:
        """The same scene with more objects of a label map that it has already."""
        return replace(
            self,
            targets=(*self.targets, *(Target(layer, tuple(v), group) for v in values)),
            shares={**self.shares, group: share},
        )

    def seen_through(self, view: View, fill: float = 0.0) -> Scene:
        """The scene cut and resampled by a view: the image linearly, the layers by nearest."""
        return replace(
            self,
            image=view.resample_image(self.image, fill),
            layers=view.resample_layers(self.layers),
            spacing=(1.0, 1.0),
        )

    def sample(
        self, rng: np.random.Generator, *, max_masks: int = 48, union_share: float = 0.06
    ) -> TrainingSample | None:
        """Turn the scene into a training sample of the same size.

        Parameters
        ----------
        rng : draws the unions of neighbours and, where there are more than ``max_masks``
            objects, which of them stay.
        max_masks : upper limit of the number of masks. Objects that share a point are kept
            together, so that the targets of a click remain complete.
        union_share : share of primary targets that are unions of touching objects; 0: none.

        Returns
        -------
        The sample, or None if no object is large enough.
        """
        if not self.layers:
            return None
        sizes = [np.bincount(layer.ravel()) for layer in self.layers]
        targets = _visible(self.targets, sizes, self.layers[0].size)
        shares = dict(self.shares)
        for index in self.mergeable if union_share else ():
            values = {v for target in targets if target.layer == index for v in target.values}
            unions = grow_unions(self.layers[index], values, rng)
            targets += _visible(
                [Target(index, union, "union") for union in unions], sizes, self.layers[0].size
            )
            shares["union"] = union_share
        targets = list({(t.layer, t.values): t for t in reversed(targets)}.values())[::-1]
        if not targets:
            return None
        areas = np.array([sizes[t.layer][list(t.values)].sum() for t in targets], np.float64)
        weights = _weights(targets, areas, shares)
        if len(targets) > max_masks:
            keep = self._families(targets, weights, max_masks, rng)
            targets = [targets[index] for index in keep]
            weights = _weights(targets, areas[keep], shares)
        masks = np.stack([self._mask(target) for target in targets])
        return TrainingSample(_to_rgb(self.image), masks, weights.astype(np.float32), self.source)

    def _mask(self, target: Target) -> np.ndarray:
        layer = self.layers[target.layer]
        if len(target.values) == 1:
            return layer == target.values[0]
        return np.isin(layer, np.array(target.values, layer.dtype))

    def _families(
        self, targets: list[Target], weights: np.ndarray, limit: int, rng: np.random.Generator
    ) -> list[int]:
        """Indices of at most ``limit`` targets, chosen by points: all that share one stay."""
        holders: dict[tuple[int, int], list[int]] = {}
        for index, target in enumerate(targets):
            for value in target.values:
                holders.setdefault((target.layer, value), []).append(index)
        keep: dict[int, None] = {}
        for first in rng.choice(len(targets), len(targets), replace=False, p=weights):
            if first in keep:
                continue
            where = np.flatnonzero(self._mask(targets[first]))
            point = where[rng.integers(len(where))]
            family = [
                index
                for number, layer in enumerate(self.layers)
                for index in holders.get((number, int(layer.flat[point])), ())
            ]
            keep.update(dict.fromkeys(family[: limit - len(keep)]))
            if len(keep) >= limit:
                break
        return list(keep)


def _visible(targets: Iterable[Target], sizes: list[np.ndarray], pixels: int) -> list[Target]:
    """The targets that are large enough here, with only the values that occur here."""
    found = []
    for target in targets:
        size = sizes[target.layer]
        values = tuple(v for v in target.values if v < len(size) and size[v])
        if MIN_AREA <= sum(int(size[v]) for v in values) <= MAX_COVER * pixels:
            found.append(replace(target, values=tuple(sorted(values))))
    return found


def _weights(targets: list[Target], areas: np.ndarray, shares: Mapping[str, float]) -> np.ndarray:
    """How often each target should be primary; larger members of a group a little more often."""
    weights = areas**0.25
    groups = np.array([target.group for target in targets])
    for group in set(groups):
        members = groups == group
        weights[members] *= max(shares[group], 1e-6) / weights[members].sum()
    return weights / weights.sum()


def _to_rgb(image: np.ndarray) -> np.ndarray:
    pixels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
