"""What takes long shows in napari's activity dock, and no longer than it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils import progress
from qtpy.QtWidgets import QApplication

from napari_piclick._napari.activity import Activity
from napari_piclick._qt.fine_tune_panel import FineTunePanel

if TYPE_CHECKING:
    import numpy as np
    import pytest
    from pytestqt.qtbot import QtBot
    from tests.gui.conftest import Desk


def lines() -> list[str]:
    """What napari's activity dock tells of us."""
    bars = [w for w in QApplication.allWidgets() if type(w).__name__ == "QtLabeledProgressBar"]
    told = [bar.description_label.text().strip().removesuffix(":") for bar in bars]
    return [text for text in told if text.startswith("PiClick")]


def test_a_long_prediction_and_a_propagation(desk: Desk, blocks: np.ndarray) -> None:
    assert lines() == []
    desk.predictor.gate.clear()
    desk.click(5, 10, 10)
    desk.until(lambda: lines() == ["PiClick: Predicting…"])
    desk.predictor.gate.set()
    desk.answered()
    desk.until(lambda: lines() == [])

    desk.press("Return")
    desk.predictor.gate.clear()
    desk.press("K")
    desk.until(lambda: any("object 1 on 1 slice" in line for line in lines()))
    desk.predictor.gate.set()
    desk.until(lambda: not desk.controller.volume.running)
    desk.until(lambda: lines() == [])
    assert (desk.controller.target.data == 1)[4, 10, 10]


def test_a_panel_that_is_closed_takes_its_lines_along(desk: Desk) -> None:
    desk.predictor.gate.clear()
    desk.click(5, 10, 10)
    desk.until(lines)
    desk.panel._close()
    desk.until(lambda: lines() == [])
    desk.predictor.gate.set()


def test_fine_tuning(desk: Desk) -> None:
    panel = FineTunePanel(lambda: None)
    desk.qtbot.addWidget(panel)

    def bars() -> list[tuple[str, int, int]]:
        kept = [line for line in progress._all_instances if line.desc.startswith("PiClick")]
        return [(line.desc.rstrip(": "), line.n, line.total) for line in kept]

    panel._show_busy(True)
    desk.until(lambda: lines() == ["PiClick: fine-tuning"])
    panel._on_step(type("Progress", (), {"step": 3, "steps": 8})())
    desk.until(lambda: bars() == [("PiClick: fine-tuning", 3, 8)])
    panel._on_step(type("Progress", (), {"step": 5, "steps": 8})())
    desk.until(lambda: bars() == [("PiClick: fine-tuning", 5, 8)])
    panel._on_stopped()
    desk.until(lambda: lines() == [])
    assert bars() == []


def test_nothing_is_printed(qtbot: QtBot, capsys: pytest.CaptureFixture[str]) -> None:
    activity = Activity()
    activity.show("PiClick: work", 1, 3)
    qtbot.waitUntil(lambda: [line.n for line in progress._all_instances] == [1])
    activity.show("PiClick: more work", 3, 3)
    qtbot.wait(20)
    activity.close()
    activity.show("PiClick: work")
    activity.close()
    qtbot.wait(20)
    assert not progress._all_instances
    printed = capsys.readouterr()
    assert printed.out + printed.err == ""
