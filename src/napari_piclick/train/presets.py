"""The default mixture: which sources there are, and how often each is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_piclick.train.data.folder import FolderSource
from napari_piclick.train.data.labels import LabelKind
from napari_piclick.train.data.organelles import dark_organelles
from napari_piclick.train.data.split import SPLITS, in_split
from napari_piclick.train.data.volumes import Volume, VolumeSource, read_volume
from napari_piclick.train.synthesis.lesions import BrainTemplate, SyntheticLesions
from napari_piclick.train.synthesis.membranes import SyntheticMembranes
from napari_piclick.train.synthesis.objects import SyntheticObjects

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_piclick.train.mixture import Source

WEIGHTS = {
    "lesions": 0.20,
    "synthetic_em": 0.16,
    "neurons": 0.12,
    "nuclei": 0.14,
    "photographs": 0.12,
    "synthetic": 0.10,
    "body": 0.06,
    "hippocampus": 0.05,
    "brain_atlas": 0.05,
}
"""How often each source is drawn. White blood cells (``blood/``) are left out on purpose: they
come from a repository under the GPL, and weights trained here are to be given to anyone."""


def default_sources(
    data_folder: str | Path | None,
    *,
    split: str = "train",
    synthetic: bool = True,
    superpixels: bool = True,
) -> dict[str, tuple[Source, float]]:
    """The sources of ``Mixture.default``, which see, as name -> (source, weight)."""
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}; it must be one of {', '.join(SPLITS)}.")
    found: dict[str, Source] = {}
    if data_folder is not None:
        folder = Path(data_folder)
        if not folder.is_dir():
            raise FileNotFoundError(
                f"There is no data folder {folder}. Please give the folder that holds "
                "nuclei, neurons, brain_atlas and so on."
            )
        found |= _real_sources(folder, split, superpixels)
        atlas = folder / "brain_atlas"
        if synthetic and (atlas / "t1.nii.gz").exists():
            found["lesions"] = SyntheticLesions(lambda: read_template(atlas))
    if synthetic:
        found["synthetic"] = SyntheticObjects()
        found["synthetic_em"] = SyntheticMembranes()
    return {name: (source, WEIGHTS[name]) for name, source in found.items()}


def _real_sources(folder: Path, split: str, superpixels: bool) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for name in ("nuclei", "photographs"):
        if (folder / name / "images").is_dir():
            found[name] = FolderSource(
                folder / name,
                split=split,
                upright=name == "photographs",
                superpixels=superpixels,
            )
    if (folder / "neurons" / "image.tif").exists():
        found["neurons"] = VolumeSource(
            "neurons", [lambda: read_neurons(folder / "neurons", split)], superpixels=superpixels
        )
    hippocampi = [
        _reader(file, file.parents[1] / "labels" / file.name, HIPPOCAMPUS)
        for file in sorted((folder / "hippocampus" / "images").glob("*.nii.gz"))
        if in_split(file.name.removesuffix(".nii.gz"), split)
    ]
    if hippocampi:
        found["hippocampus"] = VolumeSource("hippocampus", hippocampi, superpixels=superpixels)
    # one brain and two bodies cannot be split; they only train
    if split == "validation":
        return found
    atlas = folder / "brain_atlas"
    if (atlas / "t1.nii.gz").exists():
        found["brain_atlas"] = VolumeSource(
            "brain_atlas",
            [_reader(atlas / "t1.nii.gz", atlas / "labels.nii.gz", LabelKind("structure"))],
            superpixels=superpixels,
        )
    body = folder / "body"
    bodies = [
        _reader(body / image, body / labels, LabelKind("organ"))
        for image, labels in (
            ("example_ct_sm.nii.gz", "example_seg_fast.nii.gz"),
            ("example_mr_sm.nii.gz", "example_seg_mr.nii.gz"),
        )
        if (body / image).exists()
    ]
    if superpixels and (body / "example_ct.nii.gz").exists():
        bodies.append(_reader(body / "example_ct.nii.gz"))  # no labels: superpixels only
    if bodies:
        found["body"] = VolumeSource("body", bodies, superpixels=superpixels)
    return found


HIPPOCAMPUS = LabelKind("annotated", unions=((1,), (2,), (1, 2)), mergeable=False)
"""The anterior and the posterior part, and the hippocampus as a whole."""


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


def _reader(
    image: Path, labels: Path | None = None, kind: LabelKind | None = None
) -> Callable[[], Volume]:
    return lambda: read_volume(image, labels, kind)
