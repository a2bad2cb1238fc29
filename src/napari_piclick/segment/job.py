"""The job: one image read, segmented and written; it can be sent to another process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from napari_piclick.io.errors import VolumeError
from napari_piclick.io.tables import write_coco, write_slices, write_volumes
from napari_piclick.io.volumes import read_volumes, write_labels
from napari_piclick.io.whole_file import whole_file
from napari_piclick.segment.clicks_file import read_clicks
from napari_piclick.segment.segmenter import VolumeSegmenter

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from napari_piclick.io.volume import Volume
    from napari_piclick.predict import Predictor
    from napari_piclick.session.propagate import Rules

#: Endings of tables that labels can be written as, beside the volumes.
TABLES = (".json", ".csv", ".png")


@dataclass(frozen=True)
class Job:
    """One image.

    Parameters
    ----------
    image, clicks, output : Path
    model, device : str
    channel : int
        Which channel of a TIFF file, or series of a folder, is segmented.
    rules : Rules, optional
        When propagation stops; None not to propagate.
    record : Path, optional
        Where to write the prompts: clicks, model and its weights, to repeat the job exactly.
    """

    image: Path
    clicks: Path
    output: Path
    model: str = "piclick-tiny"
    device: str = "auto"
    channel: int = 0
    rules: Rules | None = None
    record: Path | None = None


@dataclass(frozen=True)
class Done:
    """How a job ended: lines that say what was found, or one sentence that says what is wrong."""

    image: Path
    lines: tuple[str, ...] = ()
    error: str = ""


def do(job: Job) -> Done:
    """Do a job; what is wrong with its files is said, not raised."""
    try:
        clicks = read_clicks(job.clicks)
        volume = _choose(read_volumes(job.image), job)
        predictor = _predictor(job.model, job.device)
        segmenter = VolumeSegmenter(predictor, volume, clicks, job.rules)
        labels, reports = segmenter.labels()
        _write(job.output, labels, volume)
        if job.record is not None:
            content = {
                "image": str(job.image),
                "model": predictor.name,
                "weights": predictor.weights_hash,
                "propagated": job.rules is not None,
                **clicks.to_dict(),
            }
            with whole_file(job.record) as temporary:
                temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except (ValueError, FileNotFoundError, MemoryError) as error:
        return Done(job.image, error=" ".join(str(error).split()) or "There is too little memory.")
    return Done(job.image, tuple(map(str, reports)))


@lru_cache(maxsize=1)
def _predictor(model: str, device: str) -> Predictor:
    """The predictor of this process; torch is imported here."""
    from napari_piclick.predict import load_predictor

    predictor: Any = load_predictor(model, device=device)
    return predictor


def _choose(volumes: list[Volume], job: Job) -> Volume:
    if not 0 <= job.channel < len(volumes):
        raise VolumeError(
            f"{job.image} has the channels 0 to {len(volumes) - 1}, but not {job.channel}."
        )
    return volumes[job.channel]


def _write(output: Path, labels: np.ndarray, volume: Volume) -> None:
    kind = output.suffix.lower()
    if kind not in TABLES:
        write_labels(output, labels, volume.geometry)
        return
    layer = volume.geometry.to_layer(labels)
    if kind == ".json":
        write_coco(output, layer)
    elif kind == ".csv":
        write_volumes(output, layer, volume.geometry)
    else:
        write_slices(output, layer)
