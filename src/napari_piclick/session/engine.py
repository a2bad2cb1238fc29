"""The engine: answers questions step by step, so that a worker can tell how far it is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from threading import Lock
from typing import TYPE_CHECKING, Any

from napari_piclick.session.pick_rule import pick
from napari_piclick.session.shared_predictor import SharedPredictor
from napari_piclick.session.thumbnails import draw_thumbnails

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import numpy as np

    from napari_piclick.predict import ClickPredictor
    from napari_piclick.proposals import Proposals
    from napari_piclick.session.pick_rule import PickRule
    from napari_piclick.session.prompt import Prompt
    from napari_piclick.session.source import Source


class Stage(Enum):
    """What the engine is doing."""

    LOADING = "loading"
    ENCODING = "encoding"
    PREDICTING = "predicting"


@dataclass(frozen=True, eq=False)
class Answer:
    """The answer to a question.

    Parameters
    ----------
    prompt : Prompt
        The question, signed by the model that answered.
    proposals : Proposals
    thumbnails : (Q, size, size, 4) uint8, optional
        A picture of each proposal; they are drawn after the answer was given.
    """

    prompt: Prompt
    proposals: Proposals
    thumbnails: np.ndarray | None = None


@dataclass
class EngineOptions:
    """What the user prefers; it may be changed while the engine is in use.

    Parameters
    ----------
    device : str
        Where the model runs; counts when it is loaded.
    pick_rule : PickRule
        Which proposal is taken first.
    cache_bytes : int, optional
        Memory for planes that were encoded.
    """

    device: str = "auto"
    pick_rule: PickRule = "score"
    cache_bytes: int | None = None


class Engine:
    """A predictor that is loaded when it is first needed.

    Parameters
    ----------
    load : callable
        Makes the predictor; called once, in the thread that needs it first.
    options : EngineOptions, optional
    """

    def __init__(
        self, load: Callable[[], ClickPredictor], options: EngineOptions | None = None
    ) -> None:
        self.options = options or EngineOptions()
        self._load = load
        self._cache: Any = None
        self._predictor: SharedPredictor | None = None
        self._lock = Lock()

    @classmethod
    def named(cls, model: str, options: EngineOptions | None = None) -> Engine:
        """The engine of a model known by name or path; torch is imported by the first question."""

        def load() -> ClickPredictor:
            from napari_piclick.predict import load_predictor

            return load_predictor(model, options.device if options is not None else "auto")

        return cls(load, options)

    @property
    def device(self) -> str | None:
        """Where the model runs; None until it is loaded."""
        return None if self._predictor is None else self._predictor.device

    def load_ahead(self) -> None:
        """Load the model before anything is asked; a question that comes meanwhile waits for it.

        What goes wrong is told with the first question.
        """
        with suppress(Exception):
            self._load_once()

    def prepare(self, source: Source) -> Generator[Stage, None, None]:
        """Load the model and encode a plane ahead of the first click on it."""
        predictor = yield from self._loaded()
        if self._cache is not None and self.options.cache_bytes is not None:
            self._cache.max_bytes = self.options.cache_bytes
        yield Stage.ENCODING
        source.show_to(predictor)

    def answer(self, prompt: Prompt, source: Source) -> Generator[Stage | Answer, None, Answer]:
        """Answer a question about a plane: first without pictures, in the end with them.

        Raises
        ------
        ValueError, FileNotFoundError
            If the model or the image cannot be used; the message is meant for the user.
        """
        yield from self.prepare(source)
        predictor = yield from self._loaded()
        yield Stage.PREDICTING
        answered = predictor.predict(prompt.clicks, prompt.previous).compare()
        proposals = pick(answered, self.options.pick_rule)
        answer = Answer(prompt.answered_by(predictor.name, predictor.weights_hash), proposals)
        yield answer
        return replace(answer, thumbnails=draw_thumbnails(source, proposals, prompt.clicks))

    def foresee(self, prompt: Prompt, source: Source, *, encode: bool = False) -> Proposals | None:
        """What would be answered, roughly and at once; None where that is not known.

        Parameters
        ----------
        prompt : Prompt
        source : Source
        encode : bool
            Whether to encode what is to be looked at, where that is not done yet.
        """
        if self._predictor is None:
            return None
        found = source.glance(self._predictor, prompt, encode=encode)
        return None if found is None else pick(found, self.options.pick_rule)

    def another(self) -> SharedPredictor:
        """The predictor for work beside the questions, with a plane of its own; loads it first."""
        self._load_once()
        assert self._predictor is not None
        return self._predictor.again()

    def _loaded(self) -> Generator[Stage, None, ClickPredictor]:
        if self._predictor is None:
            yield Stage.LOADING
            self._load_once()
        assert self._predictor is not None
        return self._predictor

    def _load_once(self) -> None:
        with self._lock:
            if self._predictor is None:
                predictor = self._load()
                # models that keep no embedding have no cache
                self._cache = getattr(predictor, "cache", None)
                self._predictor = SharedPredictor(predictor)
