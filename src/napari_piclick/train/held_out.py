"""Held-out pictures: encoded once, and asked again and again how good the weights are by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick.train.assessment import Assessment, assess, summary
from napari_piclick.train.encoding import encode_picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_piclick.models.piclick_tiny import PiClickTiny
    from napari_piclick.models.tiny_vit import EncoderFeatures
    from napari_piclick.train.sample import TrainingSample


class HeldOut:
    """Scores weights on pictures that they are not trained on.

    Parameters
    ----------
    model : PiClickTiny
        Encodes the pictures, once, with the stages that the models to be scored share; None if
        their encoders differ, as they learn: then each encodes the pictures itself.
    samples : source name -> samples
        For example of `validation_samples`.
    clicks, objects : int
        Clicks per object and objects per picture.
    """

    def __init__(
        self,
        model: PiClickTiny | None,
        samples: Mapping[str, Sequence[TrainingSample]],
        clicks: int = 3,
        objects: int = 3,
    ) -> None:
        self._samples = samples
        self._pictures = None if model is None else self._encoded(model)
        self._clicks, self._objects = clicks, objects

    def assess(self, model: PiClickTiny) -> dict[str, Assessment]:
        """How well a model answers, by source."""
        encoded = self._pictures or self._encoded(model)
        return {
            source: assess(model, pictures, self._clicks, self._objects)
            for source, pictures in encoded.items()
        }

    def _encoded(
        self, model: PiClickTiny
    ) -> dict[str, list[tuple[TrainingSample, EncoderFeatures]]]:
        return {
            source: [(sample, encode_picture(model, sample.image)) for sample in those]
            for source, those in self._samples.items()
        }

    def __call__(self, model: PiClickTiny) -> dict[str, float]:
        """One row for a log; its ``score`` is what the best weights are kept by."""
        return summary(self.assess(model))
