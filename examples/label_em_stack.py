"""EM stack: several neurons, each on some slices, with a journal, saved with their clicks.

    python examples/label_em_stack.py --output neurons.piclick

Whatever happens to the program, the journal has all that was done until then.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from napari_piclick import Session, load_predictor
from napari_piclick._napari.sample_data import neurons
from napari_piclick.plane import Plane
from napari_piclick.session.image_identity import ImageIdentity
from napari_piclick.session.journal import Journal, keep
from napari_piclick.session.journal_folder import journal_folder, new_journal_path, this_program
from napari_piclick.session.place import Place
from napari_piclick.session.saved_session import SavedSession

#: Slice, row and column of a click on each neuron.
NEURONS = [(12, 128, 207), (12, 135, 104)]
SLICES = 2


def main() -> None:
    """Click on each neuron on a few slices."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("neurons.piclick"))
    options = parser.parse_args()

    stack, about, _ = neurons()[0]
    identity = ImageIdentity.of("Neurons", stack)
    labels = np.zeros(stack.shape, np.uint16)
    session = Session(load_predictor(), labels=labels)
    path = new_journal_path(journal_folder(), identity)
    end = keep(session, Journal(path, identity, this_program(), lambda _: "neurons", print))

    for number, (first, row, col) in enumerate(NEURONS, start=1):
        for index in range(first, first + SLICES):
            plane = Plane(stack.shape, (1, 2), (index,))
            session.set_image(stack[index], key=Place("Neurons", plane))
            if index > first:
                session.objects.reopen(number)
            session.click(row, col)
            session.accept()
        print(f"Neuron {number} is labelled on {SLICES} slices.")
    session.objects.smooth(1)
    session.undo()

    saved = SavedSession(
        identity,
        session.labels.data,
        session.objects.records,
        spacing=tuple(map(float, about["scale"])),
    )
    saved.save(options.output)
    end()
    print(f"Labels and clicks are in {options.output}, the journal is {path}.")


if __name__ == "__main__":
    main()
