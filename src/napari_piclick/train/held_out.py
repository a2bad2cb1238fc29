"""Held-out pictures: encoded once, and asked again and again how good the weights are by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick.train.assessment import Assessment, assess, summary
from napari_piclick.train.encoding import encode_picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_piclick.models.piclick_tiny import PiClickTiny
    from napari_piclick.train.sample import TrainingSample


class HeldOut:
    """Scores weights on pictures that they are not trained on.

    Parameters
    ----------
    model : PiClickTiny
        Encodes the pictures; its encoder's stages are those of the models to be scored.
    samples : source name -> samples
        For example of `validation_samples`.
    clicks, objects : int
        Clicks per object and objects per picture.
    """

    def __init__(
        self,
        model: PiClickTiny,
        samples: Mapping[str, Sequence[TrainingSample]],
        clicks: int = 3,
        objects: int = 3,
    ) -> None:
        self._pictures = {
            source: [(sample, encode_picture(model, sample.image)) for sample in those]
            for source, those in samples.items()
        }
        self._clicks, self._objects = clicks, objects

    def assess(self, model: PiClickTiny) -> dict[str, Assessment]:
        """How well a model answers, by source."""
        return {
            source: assess(model, pictures, self._clicks, self._objects)
            for source, pictures in self._pictures.items()
        }

    def __call__(self, model: PiClickTiny) -> dict[str, float]:
        """One row for a log; its ``score`` is what the best weights are kept by."""
        return summary(self.assess(model))
