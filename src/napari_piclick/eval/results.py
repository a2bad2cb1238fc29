"""The results of an evaluation: every object's IoUs, their summary, and the JSON file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick.eval.bootstrap import LEVEL, RESAMPLES, confidence_intervals
from napari_piclick.eval.figures import PAIR_SHARES, Figures
from napari_piclick.eval.protocol import PICKED_BY, THRESHOLDS
from napari_piclick.io.whole_file import whole_file

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from napari_piclick.eval.object_result import ObjectResult
    from napari_piclick.eval.protocol import ClickProtocol


@dataclass
class Results:
    """The results of one run, object by object in the order of the dataset.

    Parameters
    ----------
    dataset, model : str
        What was measured, and on what.
    protocol : ClickProtocol
        How.
    objects : sequence of ObjectResult
    encoding_seconds : float
        Time that taking the images took.
    """

    dataset: str
    model: str
    protocol: ClickProtocol
    objects: Sequence[ObjectResult] = field(default_factory=list)
    encoding_seconds: float = 0.0

    def summary(self) -> dict[str, float | int | None]:
        """The figures over all objects.

        Returns
        -------
        dict
            ``objects``; ``images``; ``miou@1`` and on to the last click: an object that was
            finished earlier keeps its last IoU; ``best_miou@1``: the same if the best proposal
            after the first click had been picked; ``noc80``, ``noc85``, ``noc90``: mean number of
            clicks, an object that never got there counting the protocol's ``max_clicks``, or None
            where the run stopped at a lower IoU, so that the figure was not measured;
            ``failures80``, ``85``, ``90``: objects that never got there (None likewise);
            ``at_limit80``, ``85``, ``90``: those and the ones that got there with the last click
            only, as the published tables count them; ``selections``: how often, per object,
            another proposal was better than the model's own pick (Table 5), and
            ``clear_selections``, by more than 0.05 of IoU; ``selections80``, ``85``, ``90``: the
            latter on the way to that IoU only, and where the own pick had not reached it, which is
            what a person content with it has to select; ``gap@1``: how far the model's own
            pick after the first click is below the best proposal in IoU;
            ``different@1``: how many of its proposals differ from one another, with an IoU below
            0.9; ``part_best@1``: the share of objects of which the best of them is no mask of the
            network but a part told by its brightness; ``nested``: pairs of objects of which one is
            inside the other; ``inner@1``, ``outer@1`` and ``both@1``: the share of these pairs of
            which that object, or both, are among the proposals of the first click on the inner
            one, with an IoU of at least 0.75 (None without pairs); ``seconds_per_click``: the time
            in the predictor, encoding of the images included, over all clicks. Of volumes,
            ``mdice@1`` and on stand for mIoU, the numbers of clicks are to a 3D Dice, ``images``
            are volumes, and what is of proposals is left out.

        Raises
        ------
        ValueError
            If there is no object.
        """
        figures = self._figures()
        columns = figures.columns()
        summary: dict[str, float | int | None] = {
            "objects": len(figures.images),
            "images": len(set(figures.images)),
            **{name: float(values.mean()) for name, values in columns.items()},
        }
        for threshold in THRESHOLDS:
            percent = round(100 * threshold)
            clicks = columns.get(f"noc{percent}")
            if clicks is None:
                summary[f"noc{percent}"] = None
                if not self.protocol.volume:
                    summary[f"selections{percent}"] = None
            summary[f"failures{percent}"] = figures.failures.get(percent)
            summary[f"at_limit{percent}"] = (
                None if clicks is None else int((clicks == self.protocol.max_clicks).sum())
            )
        if not self.protocol.volume:
            pairs = figures.pair_columns()
            summary["nested"] = len(figures.pairs)
            for name in PAIR_SHARES:
                summary[name] = float(pairs[name].mean()) if name in pairs else None
        summary["seconds_per_click"] = (self.encoding_seconds + figures.seconds) / figures.clicks
        return summary

    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % confidence intervals of the means in `summary`, by bootstrap over images."""
        figures = self._figures()
        bounds: dict[str, tuple[float, float]] = {}
        for columns, images in (
            (figures.columns(), figures.images),
            (figures.pair_columns(), figures.pair_images),
        ):
            if columns:
                low, high = confidence_intervals(np.stack(list(columns.values()), 1), images)
                bounds |= {name: (float(low[k]), float(high[k])) for k, name in enumerate(columns)}
        return bounds

    def _figures(self) -> Figures:
        if not len(self.objects):
            raise ValueError("No object was evaluated, so there is nothing to summarise.")
        figures = Figures(self.protocol)
        for result in self.objects:
            figures.add(result)
        return figures

    def write_json(self, path: str | os.PathLike[str]) -> None:
        """Write the results to a JSON file; an older file stays whole until the new one is.

        The file holds, beside the `summary`, its confidence ``intervals``, the ``protocol``, and
        in ``samples`` every object's IoUs, clicks and picks. All of it but the time,
        ``summary["seconds_per_click"]``, is the same in every run of the same model.

        Raises
        ------
        VolumeError
            If the file cannot be written.
        ValueError
            If there is no object.
        """
        summary, intervals = self.summary(), self.intervals()
        head = {
            "dataset": self.dataset,
            "model": self.model,
            "pick": self.protocol.pick,
            "picked_by": PICKED_BY[self.protocol.pick],
            "protocol": self.protocol.as_dict(),
        }
        tail = {
            "summary": summary,
            "intervals": {
                "level": LEVEL,
                "resamples": RESAMPLES,
                "over": "images",
                **{name: list(bounds) for name, bounds in intervals.items()},
            },
        }
        with whole_file(Path(path)) as part, part.open("w", encoding="utf-8", newline="") as file:
            # Sample by sample, so that not all of them are held at once.
            file.write(json.dumps(head, indent=1)[:-2] + ',\n "samples": [')
            for number, result in enumerate(self.objects):
                file.write((",\n  " if number else "\n  ") + json.dumps(_sample(result)))
            file.write("\n ],\n" + json.dumps(tail, indent=1)[2:] + "\n")


def _sample(result: ObjectResult) -> dict[str, Any]:
    values = result.to_dict()
    left_out = {"position", "proposal_ious", "seconds", "threshold"}
    if not result.slices:
        left_out.add("slices")
    if result.part is None:
        left_out.add("part")
    return {k: v for k, v in values.items() if k not in left_out} | {
        "best_ious": list(result.best_ious)
    }
