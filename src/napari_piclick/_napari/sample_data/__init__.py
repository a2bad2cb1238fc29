"""The sample data that come with the package; README.md here says whose they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import tifffile

#: What napari takes to make a layer: data, keyword arguments, type of layer.
LayerData = tuple[np.ndarray, dict[str, Any], str]

_FOLDER = Path(__file__).parent


def neurons() -> list[LayerData]:
    """Neurons of a fly's optic lobe: (24, 250, 250) uint8, isotropic voxels of 10 nm."""
    return [
        (
            tifffile.imread(_FOLDER / "neurons.tif"),
            {
                "name": "Neurons",
                "scale": (10, 10, 10),
                "units": ("nm", "nm", "nm"),
                "axis_labels": ("z", "y", "x"),
                "metadata": {
                    "source": "FlyEM project, janelia-flyem/neuroproof_examples",
                    "licence": "Creative Commons, attribution",
                },
            },
            "image",
        )
    ]


def nuclei() -> list[LayerData]:
    """Stained nuclei of cultured cells: (520, 696) uint8, size of a pixel unknown."""
    return [
        (
            tifffile.imread(_FOLDER / "nuclei.tif"),
            {
                "name": "Nuclei",
                "axis_labels": ("y", "x"),
                "metadata": {"source": "2018 Data Science Bowl", "licence": "CC0"},
            },
            "image",
        )
    ]


def brain() -> list[LayerData]:
    """T1 MRI of the average of 152 brains: (79, 185, 149) uint8, 2 mm slices of 1 mm pixels.

    The layer's world runs towards inferior, posterior and left, in millimetres, which shows the
    head upright in every plane. ``metadata["affine"]`` is the NIfTI affine, from (x, y, z) in
    voxels to right, anterior and superior in millimetres.
    """
    image = nib.Nifti1Image.from_filename(_FOLDER / "brain.nii.gz")
    reverse_axes = np.eye(4)[[2, 1, 0, 3]]
    to_inferior_posterior_left = np.diag([-1.0, -1.0, -1.0, 1.0])
    return [
        (
            np.asarray(image.dataobj).T,
            {
                "name": "Brain T1",
                "affine": to_inferior_posterior_left @ reverse_axes @ image.affine @ reverse_axes,
                "units": ("mm", "mm", "mm"),
                "axis_labels": ("z", "y", "x"),
                "metadata": {
                    "affine": image.affine,
                    "source": "MNI ICBM 152 non-linear symmetric 2009a",
                    "licence": "Copyright 1993-2009 Louis Collins, McConnell Brain Imaging Centre",
                },
            },
            "image",
        )
    ]
