"""The predictor: an image and clicks in, proposals out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from napari_piclick.models.mask_decoder import MaskPrediction
from napari_piclick.predict.embedding_cache import EmbeddingCache
from napari_piclick.predict.framing import Framing
from napari_piclick.predict.parts import with_part
from napari_piclick.predict.plane_predictor import PlanePredictor
from napari_piclick.predict.question import Question
from napari_piclick.predict.second_look import with_closer
from napari_piclick.predict.spare_memory import give_back
from napari_piclick.predict.start import anchor, extent
from napari_piclick.proposals import Proposals

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy as np

    from napari_piclick.clicks import Click
    from napari_piclick.models.mask_decoder import ImageEmbedding
    from napari_piclick.models.piclick_tiny import PiClickTiny
    from napari_piclick.predict.intensity import Window
    from napari_piclick.predict.plane_image import PlaneImage
    from napari_piclick.predict.view import View
    from napari_piclick.region import Region

#: At most so many objects are answered at once.
AT_ONCE = 16


class Predictor(PlanePredictor):
    """Answers clicks on one image at a time; made by `load_predictor`.

    The image is encoded once and its embedding kept, so that a click costs only
    the decoder. Calls from several threads wait for one another.

    Parameters
    ----------
    model : PiClickTiny
    name : str
        What the model is called in prompts and reports.
    weights_hash : str
        SHA-256 of the file of weights.
    device : torch.device
    cache : EmbeddingCache, optional
    framing : Framing, optional
        Decides which part of a plane to look at, and at what size.

    Attributes
    ----------
    parts : bool
        Whether, of the proposals of a first click, one is a part told by its brightness (`parts`).
    """

    def __init__(
        self,
        model: PiClickTiny,
        name: str,
        weights_hash: str,
        device: torch.device,
        cache: EmbeddingCache | None = None,
        framing: Framing | None = None,
    ) -> None:
        super().__init__(name, weights_hash)
        # channels-last: a fifth faster encoding on CPUs
        self._model = model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device
        self.cache = cache or EmbeddingCache()
        self.framing = framing or Framing()
        self.parts = True

    @property
    def device(self) -> str:
        """The device the model runs on, as torch names it."""
        return str(self._device)

    def _prepare(self, plane: PlaneImage) -> None:
        """Encode a plane if one look covers it."""
        if self.framing.fits(plane.shape):
            whole = self.framing.whole(plane.shape)
            self._embed(plane, whole)
            if self.framing.thorough:
                self._embed(plane, whole.mirror_image)

    @property
    def batches(self) -> bool:
        """Whether several objects are answered sooner together than one by one: on GPUs."""
        return self._device.type != "cpu"

    def predict_many(
        self, questions: Sequence[tuple[Sequence[Click], Proposals | np.ndarray | None]]
    ) -> list[Proposals]:
        """Answer clicks on several objects of the current image, as far as possible at once.

        The answers are those of `predict`, but for the last bits.

        Parameters
        ----------
        questions : sequence of (clicks, previous), each as for `predict`

        Raises
        ------
        RuntimeError, ValueError
            As `predict`.
        """
        with self._lock:
            image = self._held()
            asked = []
            for clicks, previous in questions:
                start, region = self._start(image, clicks, previous)
                asked.append(self._question(image, clicks, previous, start, region))
            return self._answer_all(image, asked)

    def glance(
        self,
        image: Any,
        clicks: Sequence[Click],
        previous: Proposals | np.ndarray | None = None,
        *,
        contrast_limits: Window | None = None,
        rgb: bool | None = None,
        key: Hashable = None,
        encode: bool = False,
    ) -> Proposals | None:
        """What clicks would be answered at a first look, without leaving the current image.

        It costs no more than the decoder: no closer look follows where objects are small, and no
        part is sought.

        Parameters
        ----------
        image, contrast_limits, rgb, key
            The plane, as for `set_image`.
        clicks, previous
            As for `predict`.
        encode : bool
            Whether to encode what is to be looked at, where that is not done yet.

        Returns
        -------
        Proposals or None
            None where nothing is encoded, or while something else is answered.

        Raises
        ------
        ValueError
            As `predict`.
        """
        plane = self._plane(image, contrast_limits, rgb, key)
        if not self._lock.acquire(blocking=False):
            return None
        try:
            start, region = self._start(plane, clicks, previous)
            question = self._question(plane, clicks, previous, start, region)
            if not encode and (plane.key, question.view) not in self.cache:
                return None
            self._decode(plane, [question])
            return question.proposals(plane.shape)
        finally:
            self._lock.release()

    def _answer(
        self,
        image: PlaneImage,
        clicks: Sequence[Click],
        previous: Proposals | np.ndarray | None,
        start: np.ndarray | None,
        region: Region | None,
    ) -> Proposals:
        question = self._question(image, clicks, previous, start, region)
        return self._answer_all(image, [question])[0]

    def _question(
        self,
        image: PlaneImage,
        clicks: Sequence[Click],
        previous: Proposals | np.ndarray | None,
        start: np.ndarray | None,
        region: Region | None,
    ) -> Question:
        if start is not None and region is not None and not any(c.positive for c in clicks):
            clicks = [anchor(start, region), *clicks]
        last_view = previous.view if isinstance(previous, Proposals) else None
        held = extent(start, region)
        view = self.framing.first(clicks, last_view, held, image.shape)
        return Question(clicks, start, region, held, view)

    def _answer_all(self, image: PlaneImage, questions: Sequence[Question]) -> list[Proposals]:
        """Answer questions, looking again where the first look was too near or too far."""
        waiting = list(questions)
        self._decode(image, waiting)
        for _ in range(self.framing.retries):
            again = []
            for question in waiting:
                assert question.prediction is not None
                better = self.framing.next(
                    question.view, question.prediction, question.clicks, question.held,
                    image.shape,
                )  # fmt: skip
                if better is not None:
                    question.view = better
                    again.append(question)
            if not again:
                break
            waiting = again
            self._decode(image, waiting)
        if self.framing.thorough:
            self._average(image, questions)
        return [self._propose(image, question) for question in questions]

    def _average(self, image: PlaneImage, questions: Sequence[Question]) -> None:
        """Ask the same of the mirror images, and average the answers."""
        mirrored = [question.seen(question.view.mirror_image) for question in questions]
        self._decode(image, mirrored)
        for question, other in zip(questions, mirrored, strict=True):
            question.average(other)

    def _propose(self, image: PlaneImage, question: Question) -> Proposals:
        """What is offered: after a first click, also what the network may not see at first."""
        proposals = question.proposals(image.shape)
        if question.start is not None:
            return proposals
        if self.parts:
            # the embedding may be an earlier image's: what is read is no window to encode with
            pixels = image.pixels(proposals.region, keep_window=False)
            proposals = with_part(proposals, pixels, question.clicks)
        if self.framing.thorough:
            closer = self.framing.second(proposals, question.clicks, image.shape)
            if closer is not None:
                second = question.seen(closer)
                self._decode(image, [second])
                proposals = with_closer(proposals, second.proposals(image.shape), question.clicks)
        return proposals

    def _embed(self, image: PlaneImage, view: View) -> ImageEmbedding:
        key = (image.key, view)
        embedding = self.cache.get(key)
        if embedding is None:
            give_back()  # what answers took is not to lie beside what encoding takes
            pixels = torch.from_numpy(image.pixels(view.region)).to(self._device)
            with torch.inference_mode():
                tensor = view.image(pixels, self._model.mean)
                embedding = self._model.encode(tensor.to(memory_format=torch.channels_last))
            self.cache.put(key, embedding)
            give_back()
        return embedding

    def _decode(self, image: PlaneImage, questions: Sequence[Question]) -> None:
        """Answer questions; those with one view, and as many clicks, at once."""
        alike: dict[Hashable, list[Question]] = {}
        for question in questions:
            key = (question.view, len(question.clicks), question.start is None)
            alike.setdefault(key, []).append(question)
        for group in alike.values():
            for first in range(0, len(group), AT_ONCE):
                self._decode_together(image, group[first : first + AT_ONCE])

    def _decode_together(self, image: PlaneImage, group: Sequence[Question]) -> None:
        view = group[0].view
        embedding = self._embed(image, view)
        places = [[view.to_input(c.row, c.col) for c in question.clicks] for question in group]
        signs = [[float(c.positive) for c in question.clicks] for question in group]
        with torch.inference_mode():
            logits = [
                view.previous_logits(torch.from_numpy(question.start), question.region)
                for question in group
                if question.start is not None and question.region is not None
            ]
            found = self._model.decode(
                embedding,
                torch.tensor(places, dtype=torch.float32, device=self._device).reshape(
                    len(group), -1, 2
                ),
                torch.tensor(signs, device=self._device),
                torch.cat(logits).to(self._device) if logits else None,
            )
        for k, question in enumerate(group):
            question.prediction = MaskPrediction(*(part[k : k + 1] for part in found))
