"""2D, colours: click on two objects of a picture, correct, choose, undo, and save the labels.

    python examples/segment_picture.py --output objects.tif

The picture is the sample of nuclei, coloured; pass your own with --picture.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import tifffile
from skimage.io import imread

from napari_piclick import Session, load_predictor
from napari_piclick._napari.sample_data import nuclei


def main() -> None:
    """Click twice, and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", type=Path, help="an RGB picture of your own")
    parser.add_argument("--output", type=Path, default=Path("objects.tif"))
    options = parser.parse_args()

    if options.picture is None:
        gray = nuclei()[0][0]
        picture = np.stack([gray // 4, gray // 2, gray], axis=-1)
    else:
        picture = imread(options.picture)
    height, width = picture.shape[:2]
    labels = np.zeros((height, width), np.uint16)

    session = Session(load_predictor(), labels=labels)
    session.set_image(picture, rgb=True)
    for row, col in ((height // 2, width // 3), (height // 3, width // 2)):
        session.click(row, col)
        proposals = session.proposals
        if proposals is None:
            continue
        print(f"Predicted IoU of the {len(proposals)} proposals:", proposals.iou.round(2))
        session.choose(1)  # the second looks better?
        session.undo()  # no: back to the first
        accepted = session.accept()
        if accepted is not None and accepted.written is not None:
            print(f"Object {accepted.written.label}: {accepted.written.pixels} pixels.")
    tifffile.imwrite(options.output, session.labels.data, compression="zlib")
    print(f"The labels are in {options.output}.")


if __name__ == "__main__":
    main()
