"""The default mixture: which sources there are, and how often each is drawn."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari_piclick.train.data.discover import source_of
from napari_piclick.train.data.labels import LabelKind
from napari_piclick.train.data.organelles import dark_organelles
from napari_piclick.train.data.split import SPLITS
from napari_piclick.train.data.volumes import Volume, VolumeSource, read_volume
from napari_piclick.train.synthesis.cells import SyntheticCells
from napari_piclick.train.synthesis.lesions import BrainTemplate, SyntheticLesions
from napari_piclick.train.synthesis.membranes import SyntheticMembranes
from napari_piclick.train.synthesis.objects import SyntheticObjects
from napari_piclick.train.synthesis.painted import PaintedLabels

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from napari_piclick.train.mixture import Source

WEIGHTS = {
    "lesions": 0.36,
    "synthetic_em": 0.14,
    "synthetic_cells": 0.12,
    "neurons": 0.10,
    "nuclei": 0.22,
    "photographs": 0.12,
    "synthetic": 0.12,
    "painted": 0.06,
    "body": 0.05,
    "hippocampus": 0.16,
    "brain_atlas": 0.04,
}
"""How often each source is drawn, relative to the others."""

OWN_WEIGHT = 0.5
"""Weight of a collection with another name: a user's own pictures."""

LEFT_OUT = ("blood",)
"""Sources that take no part unless they are the data folder itself. The white blood cells
come from a repository under the GPL, and weights trained here are to be given to anyone."""


def default_sources(
    data_folder: str | Path | None,
    *,
    split: str = "train",
    synthetic: bool = True,
    superpixels: bool = True,
    leave_out: Collection[str] = LEFT_OUT,
) -> dict[str, tuple[Source, float]]:
    """The sources of ``Mixture.default``, which see, as name -> (source, weight)."""
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}; it must be one of {', '.join(SPLITS)}.")
    found: dict[str, Source] = {}
    left_out, known = set(leave_out), {*WEIGHTS, *LEFT_OUT}
    if data_folder is not None:
        folder = Path(data_folder)
        if not folder.is_dir():
            raise FileNotFoundError(
                f"There is no data folder {folder}. Please give a folder that holds images and "
                "labels, or one such folder for each collection."
            )
        known |= {each.name for each in folder.iterdir() if each.is_dir()}
        if (folder / "images").is_dir():  # the only one, so that it must be meant
            left_out.discard(folder.name)
        found |= _collections(folder, split, superpixels, left_out)
        found |= _volumes(folder, split, superpixels)
        if not found:
            raise FileNotFoundError(
                f"There is nothing to train on in {folder}: it should hold the folders images "
                "and labels, or one folder for each collection, with images and labels in it."
            )
        template = folder / "brain_atlas"
        if synthetic and (template / "t1.nii.gz").exists():
            found["lesions"] = SyntheticLesions(partial(read_template, template))
    if synthetic:
        found["synthetic"] = SyntheticObjects()
        found["synthetic_em"] = SyntheticMembranes()
        found["synthetic_cells"] = SyntheticCells()
        labelled = _labelled(found, left_out) if split != "validation" else []
        if labelled:
            found["painted"] = PaintedLabels(labelled)
    unknown = ", ".join(sorted(left_out - known))
    if unknown:
        raise ValueError(
            f"There is no source {unknown} to leave out; there are {', '.join(sorted(known))}."
        )
    return {
        name: (source, WEIGHTS.get(name, OWN_WEIGHT))
        for name, source in found.items()
        if name not in left_out
    }


def _labelled(found: Mapping[str, Source], left_out: Collection[str]) -> list[Source]:
    """The volumes with labels, without their superpixels."""
    return [
        source.without_superpixels()
        for name, source in found.items()
        if isinstance(source, VolumeSource) and name not in left_out
    ]


def _collections(
    folder: Path, split: str, superpixels: bool, left_out: Collection[str]
) -> dict[str, Source]:
    """A folder with ``images`` in it, or all those that lie in it; left out ones are not read."""
    inside = [folder] if (folder / "images").is_dir() else sorted(folder.iterdir())
    return {
        each.name: source_of(
            each,
            split=split,
            upright=each.name == "photographs",
            mergeable=each.name != "hippocampus",
            superpixels=superpixels,
        )
        for each in inside
        if (each / "images").is_dir() and each.name not in left_out
    }


def _volumes(folder: Path, split: str, superpixels: bool) -> dict[str, Source]:
    """The collections of the default mixture that are single volumes."""
    found: dict[str, Source] = {}
    if (folder / "neurons" / "image.tif").exists():
        read = partial(read_neurons, folder / "neurons", split)
        # held-out sections are a slab too thin to be cut across
        axes = (0,) if split == "validation" else (0, 1, 2)
        found["neurons"] = VolumeSource("neurons", [read], axes=axes, superpixels=superpixels)
    # one brain and two bodies cannot be divided; they only train
    if split == "validation":
        return found
    atlas = folder / "brain_atlas"
    if (atlas / "t1.nii.gz").exists():
        kind = LabelKind("structure")
        read = partial(read_volume, atlas / "t1.nii.gz", atlas / "labels.nii.gz", kind)
        found["brain_atlas"] = VolumeSource("brain_atlas", [read], superpixels=superpixels)
    body = folder / "body"
    bodies = [
        partial(read_volume, body / image, body / labels, LabelKind("organ"))
        for image, labels in (
            ("example_ct_sm.nii.gz", "example_seg_fast.nii.gz"),
            ("example_mr_sm.nii.gz", "example_seg_mr.nii.gz"),
        )
        if (body / image).exists()
    ]
    if superpixels and (body / "example_ct.nii.gz").exists():
        # no labels: superpixels only
        bodies.append(partial(read_volume, body / "example_ct.nii.gz"))
    if bodies:
        found["body"] = VolumeSource("body", bodies, superpixels=superpixels)
    return found


def read_neurons(folder: Path, split: str) -> Volume:
    """The labelled neurons, and the dark organelles in them.

    The last fifth of the sections is the validation split.
    """
    neurons = read_volume(folder / "image.tif", folder / "labels.tif")
    image, labels = neurons.image, neurons.labels[0][0]
    first = round(0.8 * len(image))
    part = {"train": slice(first), "validation": slice(first, None), "all": slice(None)}[split]
    organelles = dark_organelles(image, labels)
    return Volume(
        image[part],
        (
            (labels[part], LabelKind("neuron", 0.8)),
            (organelles[part], LabelKind("organelle", 1.0, mergeable=False)),
        ),
    )


def read_template(folder: Path) -> BrainTemplate:
    """The brain template with the structures of its atlas."""
    atlas = read_volume(folder / "t1.nii.gz", folder / "labels.nii.gz")
    return BrainTemplate(atlas.image, atlas.labels[0][0])
