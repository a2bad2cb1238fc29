"""Figures of the PiClick paper to compare with (Yan et al., Neurocomputing 2024, Table 2)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """What the paper states for one backbone on one dataset.

    Parameters
    ----------
    dataset : str
        Name of the dataset here.
    backbone : str
        ``ViT-B`` or ``ViT-L``.
    figures : dict
        By the names of `Results.summary`.
    """

    dataset: str
    backbone: str
    figures: dict[str, float]


#: What the rows were measured on, in words. The published slices of BraTS are pictures; those cut
#: from volumes here are others.
MEASURED_ON = {
    "sstem": "389 objects on all 20 sections",
    "brats-png": "369 slices, one object each",
    "brats": "369 slices that were cut in another, unpublished way",
}

_BRATS_LARGE = {"miou@1": 0.623, "noc80": 4.41}

TABLE_2 = (
    PublishedRow("sstem", "ViT-B", {"miou@1": 0.396, "noc80": 2.21}),
    PublishedRow("sstem", "ViT-L", {"miou@1": 0.587, "noc80": 1.97}),
    PublishedRow("brats-png", "ViT-L", _BRATS_LARGE),
    PublishedRow("brats", "ViT-L", _BRATS_LARGE),
)

_BACKBONES = {"base": "ViT-B", "large": "ViT-L", "huge": "ViT-H"}


def published_rows(dataset: str, model: str, max_clicks: int = 20) -> tuple[PublishedRow, ...]:
    """The paper's rows for a dataset: those of the model's backbone, or all if it has another.

    There is none for a run that gives objects up after other than 20 clicks, as that changes NoC.

    Parameters
    ----------
    dataset : name of the dataset.
    model : name or file of the model; ``base``, ``large`` or ``huge`` in it tells the backbone.
    max_clicks : clicks after which an object was given up.
    """
    if max_clicks != 20:
        return ()
    name = model.replace("\\", "/").rsplit("/", 1)[-1].lower()
    rows = tuple(row for row in TABLE_2 if row.dataset == dataset)
    backbone = next((b for word, b in _BACKBONES.items() if "piclick" in name and word in name), "")
    return tuple(row for row in rows if row.backbone == backbone) if backbone else rows
