r"""SimpleClick's own checkpoints, measured as its program does: what PiClick is compared with.

Its files are handed out by its authors (see <https://github.com/uncbiag/SimpleClick>)::

    python -m napari_piclick.eval --dataset sstem --data stack1 --compat published \\
        --model napari_piclick.eval.simpleclick:load --model-arg cocolvis_vit_base.pth
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.models.registry import sha256
from napari_piclick.models.simpleclick_checkpoint import load_simpleclick
from napari_piclick.predict.compat import CompatPredictor, resize
from napari_piclick.predict.device import choose_device
from napari_piclick.predict.flip import THRESHOLD
from napari_piclick.predict.full_pass import FullPass
from napari_piclick.proposals import Proposals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.clicks import Click
    from napari_piclick.predict.plane_image import PlaneImage
    from napari_piclick.region import Region


class SimpleClickPredictor(CompatPredictor):
    """One mask, the mean of a picture and its mirror image, of what is zoomed in on.

    Unlike in PiClick's program, what to zoom in on is where the last *probability* exceeds a half.
    """

    def _answer(
        self,
        image: PlaneImage,
        clicks: Sequence[Click],
        previous: Proposals | np.ndarray | None,
        start: np.ndarray | None,
        region: Region | None,
    ) -> Proposals:
        used = self._zoomed(image, clicks, previous)
        plain, mirrored = self._look(image, clicks, used, start, region)
        mean = (plain.logits + mirrored.logits.flip(-1)) / 2
        one = np.ones(1, np.float32)
        return Proposals(
            resize(mean.sigmoid().cpu(), used.shape).numpy(),
            used,
            image.shape,
            one,
            one,
            threshold=THRESHOLD,
            view=used,
        )

    def _last_mask(self, previous: Proposals) -> np.ndarray:
        """(h, w) bool on the previous view: where the last answer is more probable than not."""
        view = previous.view or previous.region
        above = previous.masks[previous.chosen] > 0.5
        return previous.region.paste(above, previous.plane_shape)[view.slices]


def load(weights: str | Path, device: str = "auto") -> SimpleClickPredictor:
    """Make the predictor from one of the authors' checkpoints.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is refused, or the device is not there.
    """
    weights = Path(weights)
    model = load_simpleclick(weights)
    run = FullPass(model, "SimpleClick", choose_device(device), exact=True)
    return SimpleClickPredictor(run, f"SimpleClick {weights.stem}", sha256(weights))
