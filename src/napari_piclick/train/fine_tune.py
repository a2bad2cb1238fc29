"""Fine-tuning: a model made better at pictures of one kind, from a few that were labelled.

Step by step, so that a window can show how far it is, and stop it::

    for progress in (run := FineTuning(planes, "mine.safetensors")):
        print(progress.step, progress.steps)
    print(run.before, run.after)
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_piclick.models.piclick_tiny import TinyConfig
from napari_piclick.models.registry import DEFAULT
from napari_piclick.predict.device import choose_device
from napari_piclick.train.augmentation import Augmentation
from napari_piclick.train.data.arrays import ArraySource
from napari_piclick.train.held_out import HeldOut
from napari_piclick.train.initial import load_initial
from napari_piclick.train.loop import Trainer
from napari_piclick.train.mixture import Mixture, NoObjectError
from napari_piclick.train.picture_store import PictureStore
from napari_piclick.train.recipe import RECIPES
from napari_piclick.train.schedule import Schedule
from napari_piclick.train.synthesis.objects import SyntheticObjects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_piclick.models.piclick_tiny import PiClickTiny
    from napari_piclick.train.assessment import Assessment
    from napari_piclick.train.mixture import Source
    from napari_piclick.train.sample import TrainingSample

#: With fewer planes than this none is held out: all are needed.
ENOUGH = 5
#: Share of the planes that are held out, the last ones: neighbours of those trained on are
#: no test.
HELD_OUT = 0.2
#: Share of synthetic pictures, so that other objects are not unlearned.
SYNTHETIC = 0.25
#: At most so many held-out planes are looked at.
LOOKED_AT = 12


@dataclass(frozen=True)
class Progress:
    """How far a fine-tuning is.

    Parameters
    ----------
    step, steps : int
        Steps done, of how many.
    dice : float
        Dice loss of the last step.
    """

    step: int
    steps: int
    dice: float


class FineTuning:
    """Fine-tunes PiClick-Tiny on labelled planes; iterate to do it.

    Leaving the iteration early writes nothing.

    Parameters
    ----------
    planes : pairs of a picture, (H, W) or (H, W, 3 or 4), and its labels, (H, W) integers
        In the order of the slices: the last fifth is held out, if there are five or more. Of
        those, planes without an object of a usable size are passed over; if that leaves none,
        all planes are trained on.
    output : file of weights to write (.safetensors)
    init : name or file of the model to begin with
    limits : (low, high) values shown as black and white
    steps, batch, size, learning_rate : see `Schedule` and ``python -m napari_piclick.train``
    device : str
    seed : int

    Attributes
    ----------
    before, after : Assessment or None
        How well held-out planes are answered by the model and by the fine-tuned one; None as
        long as that is not known, or if no plane could be held out.

    Raises
    ------
    ValueError
        If there is no labelled plane, or labels do not fit their picture.
    FileNotFoundError
        If there is no such model.
    """

    def __init__(
        self,
        planes: Sequence[tuple[np.ndarray, np.ndarray]],
        output: str | Path,
        *,
        init: str = DEFAULT,
        limits: tuple[float, float] | None = None,
        steps: int = 150,
        batch: int = 6,
        size: int = 512,
        learning_rate: float = 5e-5,
        device: str = "auto",
        seed: int = 0,
    ) -> None:
        planes = [plane for plane in planes if np.any(plane[1])]
        if not planes:
            raise ValueError(
                "There is no labelled slice to learn from: label some objects first, the more "
                "slices the better."
            )
        kept = len(planes) - (round(HELD_OUT * len(planes)) if len(planes) >= ENOUGH else 0)
        self.before: Assessment | None = None
        self.after: Assessment | None = None
        self._output = Path(output)
        self._seed = seed
        self._held_out = _held_out(planes[kept:], limits, size)
        if self._held_out:
            planes = planes[:kept]
        sources: dict[str, tuple[Source, float]] = {
            "mine": (ArraySource(planes, limits=limits), 1 - SYNTHETIC),
            "synthetic": (SyntheticObjects(), SYNTHETIC),
        }
        self._mixture = Mixture(sources, size)
        self._schedule = Schedule(
            steps=steps,
            batch=batch,
            learning_rate=learning_rate,
            warmup=min(20, steps),
            first_pictures=4 * batch,
            new_pictures=2,
        )
        model = load_initial(init, TinyConfig(evidence=True)).to(choose_device(device))
        self._model: PiClickTiny = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def held_out(self) -> int:
        """How many planes are held out."""
        return len(self._held_out)

    def __iter__(self) -> Iterator[Progress]:
        held_out = HeldOut(self._model, {"mine": self._held_out})
        if self._held_out:
            self.before = held_out.assess(self._model.eval())["mine"]
        with tempfile.TemporaryDirectory(prefix="piclick-") as folder:
            store = PictureStore(Path(folder) / "pictures", self._mixture, self._model, self._seed)
            trainer = Trainer(
                self._model, store, RECIPES["tiny"], self._schedule, Path(folder), self._seed
            )
            for step in range(self._schedule.steps):
                yield Progress(step, self._schedule.steps, trainer.step(step)["dice"])
            trainer.next_step = self._schedule.steps
            if self._held_out:
                self.after = held_out.assess(trainer.averaged_model())["mine"]
            trainer.export(self._output, recipe="tiny", seed=str(self._seed))
        yield Progress(self._schedule.steps, self._schedule.steps, 0.0)


def _held_out(
    planes: Sequence[tuple[np.ndarray, np.ndarray]],
    limits: tuple[float, float] | None,
    size: int,
) -> list[TrainingSample]:
    """Held-out planes as samples, whole and unchanged; of many only some.

    The end of an object is often too small to click on: such planes give no sample.
    """
    samples = []
    for number, plane in enumerate(planes[:: max(1, -(-len(planes) // LOOKED_AT))]):
        source: Source = ArraySource([plane], limits=limits, superpixels=False)
        mixture = Mixture(
            {"mine": (source, 1.0)}, size, augmentation=Augmentation.none(), union_share=0
        )
        with suppress(NoObjectError):
            samples.append(mixture.draw(np.random.default_rng(number)))
    return samples
