"""Refine: masks that another program made (Cellpose, StarDist, a threshold), put right by clicks.

    python examples/refine_labels.py --output refined.tif

Here a threshold makes the masks. Each object keeps its number; the others keep their pixels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import tifffile
from scipy import ndimage
from skimage.filters import threshold_otsu

from napari_piclick import Session, load_predictor
from napari_piclick._napari.sample_data import nuclei
from napari_piclick.session.object_table import object_table


def main() -> None:
    """Threshold, then refine the largest object, merge two, and delete the crumbs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("refined.tif"))
    options = parser.parse_args()

    image = nuclei()[0][0]
    labels = ndimage.label(image > threshold_otsu(image))[0].astype(np.uint16)
    session = Session(load_predictor(), labels=labels)
    session.set_image(image)

    rows = sorted(object_table(session.objects), key=lambda row: row.voxels)
    for row in rows:
        if row.voxels < 20:
            session.objects.delete(row.label)
    largest = rows[-1].label
    session.objects.reopen(largest)
    place = np.argwhere(session.labels.data == largest).mean(axis=0)
    session.click(*place)
    accepted = session.accept()
    if accepted is not None and accepted.written is not None:
        print(f"Object {largest} had {rows[-1].voxels} pixels, now {accepted.written.pixels}.")
    session.objects.fill_holes(largest)
    session.objects.merge(rows[-2].label, largest)
    session.undo()  # they were two after all
    tifffile.imwrite(options.output, session.labels.data, compression="zlib")
    print(f"{len(object_table(session.objects))} objects are in {options.output}.")


if __name__ == "__main__":
    main()
