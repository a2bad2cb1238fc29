"""A program that labels twenty objects and writes each down; the test kills it in the middle.

python label_twenty.py FOLDER
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from tests.conftest import FloodPredictor

from napari_piclick.plane import Plane
from napari_piclick.session import Session
from napari_piclick.session.image_identity import ImageIdentity
from napari_piclick.session.journal import Journal, keep
from napari_piclick.session.journal_folder import new_journal_path, this_program
from napari_piclick.session.place import Place

SHAPE = (20, 24, 30)


def volume() -> np.ndarray:
    """A square of its own on each slice."""
    data = np.zeros(SHAPE, np.uint8)
    for k in range(len(data)):
        data[k, 2 + k // 2 : 9 + k // 2, 3 + k // 2 : 12 + k // 2] = 100 + k
    return data


def main() -> None:
    """Label slice by slice, telling of each object once it is kept."""
    folder, image = Path(sys.argv[1]), volume()
    identity = ImageIdentity.of("squares", image)
    session = Session(FloodPredictor(), labels=np.zeros(SHAPE, np.uint8))
    path = new_journal_path(folder, identity)
    keep(session, Journal(path, identity, this_program(), lambda _: "squares objects", print))
    for k, pixels in enumerate(image):
        session.set_image(pixels, key=Place("squares", Plane(SHAPE, (1, 2), (k,))))
        session.click(5 + k // 2, 6 + k // 2)
        session.click(3 + k // 2, 4 + k // 2, positive=False)
        if k % 3 == 1:
            session.choose(2)
        session.accept()
        print("kept", k + 1, flush=True)
        time.sleep(0.02)
    time.sleep(60)


if __name__ == "__main__":
    main()
