"""Whatever goes wrong in a worker is said, and the next request is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import Qt

from napari_piclick._napari.failure import sentence_about

if TYPE_CHECKING:
    from tests.gui.conftest import Desk

ERRORS = [
    (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."), "not enough memory"),
    (TypeError("unhashable type: 'list'"), "could not do that (TypeError: unhashable"),
]


@pytest.mark.parametrize(("error", "part"), ERRORS, ids=["memory", "mistake"])
def test_a_question_that_fails_is_not_the_last(
    desk: Desk, said: list[str], error: Exception, part: str
) -> None:
    desk.predictor.error = error
    desk.click(5, 10, 10)
    desk.until(lambda: said)
    assert part in said[-1]
    desk.until(lambda: desk.controller.answers.stage is None)
    desk.predictor.error = None
    desk.click(5, 12, 12)
    desk.answered()
    assert len(desk.controller.session.clicks) == 2


@pytest.mark.parametrize(("error", "part"), ERRORS, ids=["memory", "mistake"])
def test_a_propagation_that_fails_ends(
    desk: Desk, said: list[str], error: Exception, part: str
) -> None:
    desk.click(5, 10, 10)
    desk.answered()
    desk.press("Return")
    desk.predictor.error = error
    desk.press("K")
    desk.until(lambda: said and not desk.controller.volume.running)
    assert part in said[-1]
    assert part in desk.controller.volume.problem
    desk.predictor.error = None
    desk.press("K")
    desk.until(lambda: not desk.controller.volume.running)
    assert desk.controller.target.data[6, 10, 10] == 1


def test_a_live_preview_that_fails_goes_on_with_the_next_move(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def fails(*_: object, **__: object) -> None:
        tries.append(1)
        raise RuntimeError("CUDA out of memory")

    desk.qtbot.mouseClick(desk.panel._form.live.native, Qt.MouseButton.LeftButton)
    with monkeypatch.context() as patch:
        patch.setattr(desk.predictor, "glance", fails)
        desk.move(5, 10, 10)
        desk.until(lambda: tries)
        desk.qtbot.wait(300)
        assert len(tries) == 1, "the same place is not asked about for ever"
    desk.move(5, 28, 14)
    desk.until(lambda: desk.viewer.layers["PiClick preview"].data.any())


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MemoryError(), "There is not enough memory: close other images, or crop this one."),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"),
            "There is not enough memory: close other images, or crop this one.",
        ),
        (ValueError("Take another one."), "Take another one."),
        (OSError("No space left."), "No space left."),
        (ValueError(), "PiClick could not do that (ValueError)."),
        (
            NotImplementedError("No kernel on MPS.\nSee the log."),
            "PiClick could not do that (NotImplementedError: No kernel on MPS).",
        ),
    ],
)
def test_the_sentence_about_an_error(error: Exception, sentence: str) -> None:
    assert sentence_about(error) == sentence
