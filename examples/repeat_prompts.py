"""Batch: repeat the clicks of a saved session, with the same or another model.

    python examples/label_em_stack.py --output neurons.piclick
    python examples/repeat_prompts.py neurons.piclick --output again.tif

The image is the sample stack of neurons that the first example labels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import tifffile

from napari_piclick import Session, load_predictor
from napari_piclick._napari.sample_data import neurons
from napari_piclick.session.place import Place
from napari_piclick.session.saved_session import SavedSession


def main() -> None:
    """Click again wherever somebody clicked, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("session", type=Path)
    parser.add_argument("--model", default="piclick-tiny")
    parser.add_argument("--output", type=Path, default=Path("again.tif"))
    options = parser.parse_args()

    stack = neurons()[0][0]
    saved = SavedSession.open(options.session, "Neurons")
    labels = np.zeros(saved.labels.shape, np.uint16)
    session = Session(load_predictor(options.model), labels=labels)
    for label, record in sorted(saved.records.items()):
        for place, making in record.makings.items():
            if not isinstance(place, Place):
                continue
            session.set_image(place.plane.cut(stack), key=place)
            if label in session.objects.records:
                session.objects.reopen(label)
            choices = dict(making.choices)
            for count, click in enumerate(making.clicks, start=1):
                session.click(click.row, click.col, click.positive)
                if count in choices:
                    session.choose(choices[count])
            session.accept()
        same = (session.labels.data == label) == (saved.labels == label)
        print(f"Object {label}: {record.clicks} clicks, {same.mean():.2%} of voxels as before.")
    tifffile.imwrite(options.output, session.labels.data, compression="zlib")
    print(f"The labels are in {options.output}.")


if __name__ == "__main__":
    main()
