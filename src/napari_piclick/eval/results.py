"""The results of an evaluation: every object's IoUs, their summary, and the JSON file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_piclick.eval.metrics import failures, mean_iou_at, mean_number_of_clicks

if TYPE_CHECKING:
    from napari_piclick.clicks import Click
    from napari_piclick.eval.protocol import ClickProtocol


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """What happened on one object.

    Parameters
    ----------
    image, object : str
        Stem of the image and name of the object on it.
    ious : tuple of float
        IoU with the ground truth after each click.
    clicks : tuple of Click
        The simulated annotator's clicks.
    picked : tuple of int
        Index of the proposal that counted after each click (0 had the best score).
    seconds : float
        Time the predictor took for these clicks.
    threshold : float
        Probability above which a pixel counted as object.
    """

    image: str
    object: str
    ious: tuple[float, ...]
    clicks: tuple[Click, ...]
    picked: tuple[int, ...]
    seconds: float
    threshold: float


@dataclass
class Results:
    """The results of one run, object by object in the order of the dataset.

    Parameters
    ----------
    dataset, model : str
        What was measured, and on what.
    protocol : ClickProtocol
        How.
    """

    dataset: str
    model: str
    protocol: ClickProtocol
    objects: list[ObjectResult] = field(default_factory=list)
    encoding_seconds: float = 0.0

    def add(self, result: ObjectResult, encoding_seconds: float = 0.0) -> None:
        """Append one object, and the time its image took to encode if it was the first on it."""
        self.objects.append(result)
        self.encoding_seconds += encoding_seconds

    def summary(self) -> dict[str, float | int | None]:
        """The figures over all objects.

        Returns
        -------
        dict
            ``objects``; ``miou@1``; ``noc80``, ``noc85``, ``noc90``: mean number of clicks, an
            object that never got there counting the protocol's ``max_clicks``, or None where the
            run stopped at a lower IoU, so that the figure was not measured; ``failures80``:
            objects that never reached 0.80 (None likewise); ``seconds_per_click``: the time in
            the predictor, encoding of the images included, over all clicks.

        Raises
        ------
        ValueError
            If there is no object.
        """
        if not self.objects:
            raise ValueError("No object was evaluated, so there is nothing to summarise.")
        ious = [result.ious for result in self.objects]
        seconds = self.encoding_seconds + sum(result.seconds for result in self.objects)
        return {
            "objects": len(ious),
            "miou@1": mean_iou_at(ious, 1),
            "noc80": self._clicks_to(0.80),
            "noc85": self._clicks_to(0.85),
            "noc90": self._clicks_to(0.90),
            "failures80": failures(ious, 0.80) if self.protocol.target_iou >= 0.80 else None,
            "seconds_per_click": seconds / sum(map(len, ious)),
        }

    def _clicks_to(self, threshold: float) -> float | None:
        if self.protocol.target_iou < threshold:
            return None
        objects = (result.ious for result in self.objects)
        return mean_number_of_clicks(objects, threshold, self.protocol.max_clicks)

    def to_dict(self) -> dict[str, Any]:
        """The results as they are written to JSON."""
        return {
            "dataset": self.dataset,
            "model": self.model,
            "pick": self.protocol.pick,
            "samples": [
                {"image": result.image, "object": result.object, "ious": list(result.ious)}
                for result in self.objects
            ],
            "summary": self.summary(),
        }

    def write_json(self, path: str | os.PathLike[str]) -> None:
        """Write the results to a JSON file; an older file stays whole until the new one is.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        path = Path(path)
        text = json.dumps(self.to_dict(), indent=1) + "\n"
        temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
