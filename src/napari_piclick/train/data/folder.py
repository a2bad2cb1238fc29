"""The folder source: pictures and their labels as ordinary image files."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from skimage.io import imread

from napari_piclick.train.data.labels import LabelKind, add_labels
from napari_piclick.train.data.memory import ByteLimitedCache
from napari_piclick.train.data.split import divide
from napari_piclick.train.data.window import to_grey_levels
from napari_piclick.train.scene import Scene
from napari_piclick.train.superpixels import SuperpixelAdder

if TYPE_CHECKING:
    from collections.abc import Mapping

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff")


class FolderSource:
    """Pictures of a folder, with label maps or overlapping masks.

    The layout is ``images/<stem>.png`` (or .jpg, .tif) with ``labels/<stem>.png`` (or .tif),
    or, where objects overlap, ``masks/<stem>/<name>.png``. ``targets.json`` may say which
    unions of label values are the objects: ``{"<stem>" or "*": [[1], [1, 2]]}``.

    Parameters
    ----------
    folder : where ``images`` lies.
    name : name of the samples; default: the folder's.
    split : ``"train"``, ``"validation"`` or ``"all"``.
    upright : True if the pictures have a top and a bottom.
    mergeable : whether touching objects may also be taken together.
    superpixels : whether superpixels are targets too, now and then.

    Raises
    ------
    FileNotFoundError
        If there are no pictures, or a picture has no labels.
    """

    def __init__(
        self,
        folder: str | Path,
        name: str | None = None,
        *,
        split: str = "all",
        upright: bool = False,
        mergeable: bool = True,
        superpixels: bool = True,
    ) -> None:
        self.folder = Path(folder)
        self.name = name or self.folder.name
        self.split = split
        self._upright = upright
        self._mergeable = mergeable
        self._superpixels = SuperpixelAdder() if superpixels else None
        self._scenes: ByteLimitedCache[Scene] = ByteLimitedCache(2**30)

    @cached_property
    def pictures(self) -> Mapping[str, Path]:
        """Stem -> file of each picture of this split, in the order of the names."""
        files = sorted(
            file
            for file in (self.folder / "images").glob("*")
            if file.suffix.lower() in IMAGE_ENDINGS
        )
        if not files:
            raise FileNotFoundError(
                f"There are no pictures in {self.folder / 'images'}. "
                "Please put .png, .jpg or .tif files there."
            )
        named = {file.stem: file for file in files}
        return {stem: named[stem] for stem in divide(list(named), self.split)}

    @cached_property
    def _unions(self) -> Mapping[str, list[list[int]]]:
        file = self.folder / "targets.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    def draw(self, rng: np.random.Generator) -> Scene:
        """Draw one picture with its objects."""
        stems = list(self.pictures)
        stem = stems[rng.integers(len(stems))]
        scene = self.scene(stem)
        return self._superpixels.add(scene, stem, rng) if self._superpixels else scene

    def scene(self, stem: str) -> Scene:
        """One picture with its objects, kept in memory once read."""
        return self._scenes.get(stem, lambda: self._read(stem))

    def _read(self, stem: str) -> Scene:
        scene = Scene(to_grey_levels(imread(self.pictures[stem])), self.name, upright=self._upright)
        unions = self._unions.get(stem, self._unions.get("*"))
        kind = LabelKind(
            unions=None if unions is None else tuple(map(tuple, unions)),
            mergeable=self._mergeable,
        )
        for labels in self._label_maps(stem):
            if labels.shape != scene.shape:
                raise ValueError(
                    f"The labels of {self.pictures[stem]} are {labels.shape} pixels, "
                    f"but the picture is {scene.shape}. They must be of the same size."
                )
            scene = add_labels(scene, labels, kind)
        return scene

    def _label_maps(self, stem: str) -> list[np.ndarray]:
        for ending in (".png", ".tif", ".tiff"):
            file = self.folder / "labels" / (stem + ending)
            if file.exists():
                return [imread(file)]
        masks = sorted((self.folder / "masks" / stem).glob("*.png"))
        if not masks:
            raise FileNotFoundError(
                f"{self.pictures[stem]} has no labels: expected {self.folder / 'labels'}/"
                f"{stem}.png, or masks in {self.folder / 'masks' / stem}."
            )
        return [(imread(file) > 0).astype(np.uint8) for file in masks]
