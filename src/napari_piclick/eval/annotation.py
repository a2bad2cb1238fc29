"""The simulated annotation of one image: every object clicked until it is good or given up."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.eval.clicker import next_click
from napari_piclick.eval.metrics import Truth, count_different
from napari_piclick.eval.nesting import NestedObjects
from napari_piclick.eval.object_result import ImageDone, ObjectResult
from napari_piclick.eval.protocol import PUBLISHED_THRESHOLD, ClickProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from napari_piclick.clicks import Click
    from napari_piclick.eval.datasets.dataset import Dataset, Sample
    from napari_piclick.eval.nesting import Surrounding
    from napari_piclick.eval.protocol import Segmenter
    from napari_piclick.proposals import Proposals

    #: All clicks on an object, and the answer to those before with its choice.
    Question = tuple[tuple[Click, ...], Proposals | None]
    #: The clicking of one object: gives questions, takes answers and their seconds.
    Course = Generator[Question, tuple[Proposals, float], ObjectResult]

#: Objects of one image that are clicked together, where the predictor is sooner so.
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class ImageJob:
    """One image to be done.

    Parameters
    ----------
    number : int
        Of the image in the dataset.
    image : str
        Its stem.
    done : frozenset of int
        Numbers of the objects on it that are done already.
    deaths : int
        How many workers died on it since an object was done.
    """

    number: int
    image: str
    done: frozenset[int] = frozenset()
    deaths: int = 0


def annotate_image(
    dataset: Dataset, job: ImageJob, predictor: Segmenter, protocol: ClickProtocol
) -> Iterator[ObjectResult | ImageDone]:
    """Click the objects of an image that are not done; the last event says that all are."""
    encoding_seconds, objects, is_set = 0.0, 0, False
    # Objects of one image share what is kept of it; on a GPU they are answered together as well.
    together = AT_ONCE if getattr(predictor, "batches", False) else 1
    waiting: list[Course] = []
    nested = NestedObjects(dataset.samples(job.image) if dataset.may_nest else ())
    for number, sample in enumerate(dataset.samples(job.image)):
        objects += 1
        if number in job.done:
            continue
        if not is_set:
            start = perf_counter()
            show_image(dataset, sample, predictor, protocol)
            encoding_seconds, is_set = perf_counter() - start, True
        course = click_object(sample, protocol, (job.number, number), around=nested.around(sample))
        waiting.append(course)
        if len(waiting) == together:
            yield from answer_together(waiting, predictor)
            waiting = []
    yield from answer_together(waiting, predictor)
    yield ImageDone(job.number, job.image, objects, encoding_seconds)


def show_image(
    dataset: Dataset, sample: Sample, predictor: Segmenter, protocol: ClickProtocol
) -> None:
    """Give a sample's image to a predictor.

    Where the dataset names no intensity window, it is that of the whole image, so that it does
    not depend on where the first click falls; published evaluations show pictures of 8 bits as
    they are.
    """
    window = sample.contrast_limits
    if protocol.compat is not None and sample.image.dtype == np.uint8:
        window = (0.0, 255.0)
    predictor.set_image(
        sample.image,
        contrast_limits=window or whole_window(sample.image),
        rgb=sample.image.ndim == 3,
        key=(dataset.name, str(dataset.folder), sample.image_stem),
    )


def whole_window(image: np.ndarray) -> tuple[float, float]:
    """The 0.5 and 99.5 percentiles of all finite values of an image, alpha left out."""
    values = image[..., :3] if image.ndim == 3 else image
    values = values[np.isfinite(values)]
    if values.dtype == bool:  # a picture of one bit, of which numpy takes no percentile
        values = values.astype(np.uint8)
    if not values.size:
        return 0.0, 1.0
    low, high = np.percentile(values, (0.5, 99.5))
    if low == high:  # a few bright spots on an even ground
        low, high = values.min(), values.max()
    return float(low), float(high)


def annotate_object(
    sample: Sample,
    predictor: Segmenter,
    protocol: ClickProtocol,
    position: tuple[int, int] = (0, 0),
    on_proposals: Callable[[Proposals, np.ndarray], None] | None = None,
    around: Sequence[Surrounding] = (),
) -> ObjectResult:
    """Click one object of the image that the predictor holds.

    Parameters
    ----------
    sample : Sample
    predictor : Segmenter
    protocol : ClickProtocol
    position : where the object stands in the dataset.
    on_proposals : called after each click with the proposals, one of them chosen, and their
        (Q, h, w) bool masks.
    around : objects around this one, with which the first click's proposals are compared too.

    Raises
    ------
    ValueError
        If the protocol asks for a score that the model does not give.
    """
    course = click_object(sample, protocol, position, on_proposals, around)
    (result,) = answer_together([course], predictor)
    return result


def answer_together(courses: Sequence[Course], predictor: Segmenter) -> Iterator[ObjectResult]:
    """Answer objects click by click, all of them at once if there are several and it can.

    Gives each object's result as soon as it is done. A click's time is its share of the whole.
    """
    asked = [(course, next(course)) for course in courses]
    while asked:
        start = perf_counter()
        if len(asked) > 1:
            answers = predictor.predict_many([question for _, question in asked])  # type: ignore[attr-defined]
        else:
            ((clicks, previous),) = (question for _, question in asked)
            answers = [predictor.predict(clicks, previous=previous)]
        took = (perf_counter() - start) / len(asked)
        waiting, asked = asked, []
        for (course, _), answer in zip(waiting, answers, strict=True):
            try:
                asked.append((course, course.send((answer, took))))
            except StopIteration as end:
                yield end.value


def click_object(
    sample: Sample,
    protocol: ClickProtocol,
    position: tuple[int, int] = (0, 0),
    on_proposals: Callable[[Proposals, np.ndarray], None] | None = None,
    around: Sequence[Surrounding] = (),
) -> Course:
    """The course of clicking one object: gives questions, takes answers and their seconds.

    Parameters as for `annotate_object`.
    """
    truth = Truth(sample.mask, sample.ignore)
    prediction = np.zeros(sample.mask.shape, bool)
    proposals: Proposals | None = None
    clicks: list[Click] = []
    picked: list[int] = []
    proposed: list[int] = []
    proposal_ious: list[tuple[float, ...]] = []
    seconds: list[float] = []
    threshold = float("nan")
    different, outer = 0, tuple[tuple[str, float], ...]()
    part: int | None = None
    while len(clicks) < protocol.max_clicks:
        clicks.append(next_click(sample.mask, prediction, clicks, sample.ignore))
        proposals, took = yield tuple(clicks), proposals
        seconds.append(took)
        threshold = PUBLISHED_THRESHOLD if protocol.compat else proposals.threshold
        masks = proposals.masks > threshold
        ious = tuple(truth.iou(mask, proposals.region) for mask in masks)
        pick, own, proposals = pick_proposal(proposals, ious, protocol)
        if len(clicks) == 1:
            different = count_different(masks)
            part = getattr(proposals, "part", None)
            outer = tuple(
                (name, max(other.iou(mask, proposals.region) for mask in masks))
                for name, other in around
            )
        if on_proposals is not None:
            on_proposals(proposals, masks)
        prediction = proposals.region.paste(masks[pick], proposals.plane_shape)
        picked.append(pick)
        proposed.append(own)
        proposal_ious.append(ious)
        if ious[pick] >= protocol.target_iou:
            break
    return ObjectResult(
        sample.image_stem,
        sample.object_name,
        position,
        tuple(ious[pick] for ious, pick in zip(proposal_ious, picked, strict=True)),
        tuple(clicks),
        tuple(picked),
        tuple(proposed),
        tuple(proposal_ious),
        tuple(seconds),
        threshold,
        different,
        outer,
        part=part,
    )


def pick_proposal(
    proposals: Proposals, ious: Sequence[float], protocol: ClickProtocol
) -> tuple[int, int, Proposals]:
    """Pick among proposals as a protocol asks for.

    Parameters
    ----------
    proposals : Proposals
    ious : IoU of each with the ground truth.
    protocol : ClickProtocol

    Returns
    -------
    pick, own : int
        The proposal that counts, and the one that the model itself would have picked.
    proposals : Proposals
        With the choice that counts.

    Raises
    ------
    ValueError
        If the protocol asks for a score that the model does not give.
    """
    own = pick_by_code(proposals) if protocol.pick == "code" else proposals.chosen
    if protocol.pick == "oracle":
        pick = int(np.argmax(ious))
        return pick, own, proposals.choose(pick, "oracle")
    return own, own, proposals if protocol.pick == "trm" else proposals.choose(own, "trm")


def pick_by_code(proposals: Proposals) -> int:
    """The first proposal with the greatest score of the authors' program (``--max_score``).

    Raises
    ------
    ValueError
        If the model gives no such score.
    """
    score = getattr(proposals, "code_score", None)
    if score is None:
        raise ValueError(
            "This model does not give the score of the authors' program, which only published "
            "checkpoints have; use --pick trm or --pick oracle."
        )
    return int(np.argmax(score))
