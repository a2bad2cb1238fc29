"""The job: one image read, segmented and written; it can be sent to another process."""

from __future__ import annotations

import json
import threading
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from napari_piclick.io.errors import VolumeError, VolumeWarning
from napari_piclick.io.tables import write_coco, write_slices, write_volumes
from napari_piclick.io.volumes import read_volumes, write_labels
from napari_piclick.io.whole_file import whole_file
from napari_piclick.segment.clicks_file import read_clicks
from napari_piclick.segment.saved_prompts import read_prompts
from napari_piclick.segment.segmenter import VolumeSegmenter
from napari_piclick.session.channels import ColorVolume
from napari_piclick.session.saved_session import SUFFIX
from napari_piclick.session.volume_window import sample_planes, window_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np

    from napari_piclick.io.volume import Volume
    from napari_piclick.predict import Predictor
    from napari_piclick.segment.clicks_file import ClicksFile
    from napari_piclick.session.stopping import Rules

#: Endings of tables that labels can be written as, beside the volumes.
TABLES = (".json", ".csv", ".png")


@dataclass(frozen=True)
class Job:
    """One image.

    Parameters
    ----------
    image, clicks, output : Path
    model, device : str
    channels : tuple of int
        Which channels of a TIFF file, of a folder's series, or of a NIfTI file's fourth axis: one
        is shown in grey, up to three in colour. Empty: the first of several, and all of an axis.
    rules : Rules, optional
        When propagation stops; None not to propagate.
    record : Path, optional
        Where to write the prompts: clicks, model and its weights, to repeat the job exactly.
    interpolate : bool
        Whether to fill the slices between those clicked on from their outlines.
    """

    image: Path
    clicks: Path
    output: Path
    model: str = "piclick-tiny"
    device: str = "auto"
    channels: tuple[int, ...] = ()
    rules: Rules | None = None
    record: Path | None = None
    interpolate: bool = False


@dataclass(frozen=True)
class Done:
    """How a job ended: lines that say what was found, or one sentence that says what is wrong."""

    image: Path
    lines: tuple[str, ...] = ()
    error: str = ""
    warnings: tuple[str, ...] = ()


def do(job: Job, progress: Callable[[], Any] | None = None) -> Done:
    """Do a job; what is wrong with its files is said, not raised.

    Parameters
    ----------
    job : Job
    progress : callable, optional
        Called for every slice that was found.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", VolumeWarning)
        try:
            lines, error = _segment(job, progress), ""
        except (ValueError, OSError, RuntimeError, MemoryError) as failure:
            lines, error = (), " ".join(str(failure).split()) or "There is too little memory."
        except Exception as failure:  # no sentence of ours, but the images behind are to be done
            words = " ".join(str(failure).split()) or type(failure).__name__
            lines, error = (), f"{job.image} could not be segmented: {words}."
    said = tuple(f"{job.image.name}: {warning.message}" for warning in caught)
    return Done(job.image, lines, error, said)


def _segment(job: Job, progress: Callable[[], Any] | None) -> tuple[str, ...]:
    """Read, segment and write; what was found."""
    saved = job.clicks.suffix == SUFFIX
    given = [] if saved else [read_clicks(job.clicks)]
    volume = choose_channels(read_volumes(job.image), job.channels)
    given = given or read_prompts(job.clicks, volume)
    predictor = _predictor(job.model, job.device)
    _warn_of_other_models(given, predictor)
    # The predictor outlives the job, and another image may have the same name in another folder.
    key = uuid4().hex
    segmenters = [
        VolumeSegmenter(
            predictor,
            volume,
            clicks,
            job.rules,
            interpolate=job.interpolate,
            progress=progress,
            key=key,
        )
        for clicks in given
    ]
    labels = segmenters[0].empty(max(max(clicks.objects) for clicks in given))
    reports = [report for segmenter in segmenters for report in segmenter.segment(labels)]
    _write(job.output, labels, volume)
    if job.record is not None:
        content = {
            "image": str(job.image),
            "model": predictor.name,
            "weights": predictor.weights_hash,
            "propagated": job.rules is not None,
            **given[0].to_dict(),
        }
        with whole_file(job.record) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return tuple(map(str, reports))


def _warn_of_other_models(given: Sequence[ClicksFile], predictor: Predictor) -> None:
    """Say so if proposals were chosen of another model: by number, they mean other masks here."""
    here = (predictor.name, predictor.weights_hash)
    others = sorted({model for clicks in given for model in clicks.chosen_of if model != here})
    for name, _ in others:
        same = name == predictor.name
        other = f"other weights of {name}" if same else f"{name}, not {predictor.name}"
        warnings.warn(
            f"proposals were chosen by their number from those of {other}, where the same number "
            "may be another mask: look at the result, or give the model they were chosen from "
            "with --model.",
            VolumeWarning,
            stacklevel=2,
        )


#: The predictor of each thread: it keeps the image it was shown last, so none may share it.
_MADE = threading.local()


def _predictor(model: str, device: str) -> Predictor:
    """The predictor of this thread; torch is imported here."""
    from napari_piclick.predict import load_predictor

    if getattr(_MADE, "key", None) != (model, device):
        _MADE.predictor = None  # let go of the last one before the next is made
        _MADE.predictor, _MADE.key = load_predictor(model, device=device), (model, device)
    predictor: Predictor = _MADE.predictor
    return predictor


def choose_channels(volumes: Sequence[Volume], channels: tuple[int, ...]) -> Volume:
    """One channel of an image in grey, or up to three in colour.

    Parameters
    ----------
    volumes : sequence of Volume
        What was read: one for each channel, or one with an axis of channels or time.
    channels : tuple of int
        Counted from 0; empty for the first of several volumes, with all its axes.

    Raises
    ------
    VolumeError
        If there is no such channel, or more than three are chosen.
    """
    if not channels:
        return volumes[0]
    others = volumes[0].geometry.others
    if len(volumes) == 1 and others:
        volumes = _along(volumes[0], others[-1])
    missing = [channel for channel in channels if not 0 <= channel < len(volumes)]
    if missing:
        raise VolumeError(
            f"{volumes[0].name} has the channels 0 to {len(volumes) - 1}, but not {missing[0]}."
        )
    chosen = [volumes[channel] for channel in channels]
    if len(chosen) == 1:
        return chosen[0]
    if len(chosen) > 3 or any(volume.rgb for volume in chosen):
        raise VolumeError("Two or three grey channels can be shown in colour, no more.")
    axis = chosen[0].geometry.spatial[-1] if chosen[0].geometry.ndim > 2 else 0
    windows = [window_of(sample_planes(volume.data, axis)) or (0.0, 1.0) for volume in chosen]
    color = ColorVolume([volume.data for volume in chosen], windows)
    return replace(chosen[0], data=color, rgb=True)


def _along(volume: Volume, axis: int) -> list[Volume]:
    """A volume for each index of an axis that is not space."""
    geometry = volume.geometry.without(axis)
    return [
        replace(volume, data=volume.data[(slice(None),) * axis + (index,)], geometry=geometry)
        for index in range(volume.data.shape[axis])
    ]


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
