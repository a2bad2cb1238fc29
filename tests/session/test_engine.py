from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_piclick.clicks import Click
from napari_piclick.plane import Plane
from napari_piclick.predict.embedding_cache import EmbeddingCache
from napari_piclick.session import Prompt
from napari_piclick.session.engine import Engine, EngineOptions, Stage
from napari_piclick.session.source import Source

if TYPE_CHECKING:
    from tests.conftest import FloodPredictor


@pytest.fixture
def source(blocks: np.ndarray) -> Source:
    return Source("key", Plane(blocks.shape, (1, 2), (5,)), blocks, (0.0, 200.0))


def test_it_tells_each_step_and_loads_only_once(predictor: FloodPredictor, source: Source) -> None:
    loads: list[int] = []

    def load() -> FloodPredictor:
        loads.append(1)
        return predictor

    engine = Engine(load)
    assert engine.device is None
    assert list(engine.prepare(source)) == [Stage.LOADING, Stage.ENCODING]
    prompt = Prompt("plane", (Click(10, 10),))
    *stages, answer = engine.answer(prompt, source)
    assert stages == [Stage.ENCODING, Stage.PREDICTING]
    assert answer.prompt.clicks == prompt.clicks
    assert answer.thumbnails is None
    assert loads == [1]
    assert engine.device == "cpu"


def test_a_model_loaded_ahead_is_not_loaded_again(
    predictor: FloodPredictor, source: Source
) -> None:
    loads: list[int] = []
    engine = Engine(lambda: loads.append(1) or predictor)
    engine.load_ahead()
    assert engine.device == "cpu"
    assert list(engine.prepare(source)) == [Stage.ENCODING]
    assert loads == [1]


def test_the_cache_takes_what_the_options_say(predictor: FloodPredictor, source: Source) -> None:
    predictor.cache = EmbeddingCache()
    options = EngineOptions(cache_bytes=1000)
    engine = Engine(lambda: predictor, options)
    list(engine.prepare(source))
    assert predictor.cache.max_bytes == 1000
    options.cache_bytes = 2000
    list(engine.prepare(source))
    assert predictor.cache.max_bytes == 2000


def test_what_goes_wrong_ahead_is_told_with_the_question(source: Source) -> None:
    def load() -> FloodPredictor:
        raise FileNotFoundError("There is no such model.")

    engine = Engine(load)
    engine.load_ahead()
    with pytest.raises(FileNotFoundError, match="no such model"):
        list(engine.prepare(source))


def test_the_answer_is_signed_and_illustrated(predictor: FloodPredictor, source: Source) -> None:
    steps = Engine(lambda: predictor).answer(Prompt("plane", (Click(10, 10),)), source)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            answer = stop.value
            break
    assert (answer.prompt.model, answer.prompt.plane) == ("flood", "plane")
    assert len(answer.thumbnails) == len(answer.proposals) == 7
    assert predictor.keys == ["key"]
    assert predictor.windows == [(0.0, 200.0)]


@pytest.mark.parametrize(
    ("dtype", "window"),
    [(np.uint8, (0.0, 255.0)), (np.uint16, (0.0, 65535.0)), (np.float32, (0.0, 1.0))],
)
def test_colours_keep_the_full_range_of_their_type(
    dtype: type, window: tuple[float, float]
) -> None:
    image = np.zeros((4, 5, 3), dtype)
    source = Source("key", Plane((4, 5), (0, 1), rgb=True), image, (10.0, 20.0))
    assert source.window == window
