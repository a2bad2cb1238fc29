"""The model panel: a downloaded file is dropped on it, and the model is used."""

from __future__ import annotations

import gc
import hashlib
import threading
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from qtpy.QtCore import QMimeData, QPoint, Qt, QUrl
from qtpy.QtGui import QDropEvent
from tests.conftest import FloodPredictor

from napari_piclick._qt.model_panel import ModelPanel
from napari_piclick.models import registry
from napari_piclick.session.engine import Engine
from napari_piclick.session.record import Making
from napari_piclick.weights import store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot
    from tests.conftest import FileServer
    from tests.gui.conftest import Desk

MICRO = Path(__file__).parents[1] / "data" / "published" / "piclick_micro_random.pth"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that weights are kept in."""
    monkeypatch.setenv("PICLICK_WEIGHTS_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def panel(folder: Path, qtbot: QtBot) -> ModelPanel:
    panel = ModelPanel()
    qtbot.addWidget(panel)
    panel.show()
    return panel


def drop(panel: ModelPanel, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    panel.dropEvent(
        QDropEvent(
            QPoint(5, 5).toPointF(),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )


def lines(panel: ModelPanel) -> list[str]:
    return [panel.list.item(k).text() for k in range(panel.list.count())]


def test_it_says_where_the_authors_weights_are(panel: ModelPanel) -> None:
    assert "https://github.com/cilinyan/PiClick" in panel.text.text()
    assert "shared drive" in panel.text.text()
    assert panel.text.openExternalLinks()
    assert "piclick-base448: from its authors, see below" in lines(panel)


def test_a_dropped_file_is_added(panel: ModelPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.added, timeout=60_000) as added:
        drop(panel, MICRO)
    assert added.args == ["piclick_micro_random"]
    assert "piclick_micro_random: ready" in lines(panel)
    item = panel.list.findItems("piclick_micro_random", Qt.MatchFlag.MatchStartsWith)[0]
    with qtbot.waitSignal(panel.chosen) as chosen:
        panel.list.itemDoubleClicked.emit(item)
    assert chosen.args == ["piclick_micro_random"]


def test_a_refused_file_is_explained_and_leaves_nothing(
    panel: ModelPanel, folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    bad = tmp_path / "download" / "bad.pth"
    bad.parent.mkdir()
    bad.write_bytes(MICRO.read_bytes()[:10_000])
    drop(panel, bad)
    qtbot.waitUntil(lambda: "is not a readable checkpoint" in panel.state.text(), timeout=60_000)
    assert panel.button.isEnabled()
    assert not list(folder.glob("*.safetensors*"))


def test_a_model_from_the_authors_is_explained_when_it_is_double_clicked(
    panel: ModelPanel, qtbot: QtBot
) -> None:
    item = panel.list.findItems("piclick-base448", Qt.MatchFlag.MatchStartsWith)[0]
    panel.list.itemDoubleClicked.emit(item)
    qtbot.waitUntil(lambda: "hand its weights out themselves" in panel.state.text(), timeout=60_000)


def test_the_form_offers_and_uses_what_was_added(desk: Desk, folder: Path, qtbot: QtBot) -> None:
    store.add(MICRO, "mine")
    form = desk.panel._form
    form.model.value = "more"
    panel = form._panel
    assert panel is not None
    qtbot.addWidget(panel)
    assert panel.isVisible()
    assert desk.controller.answers.model == "piclick-tiny"
    panel.added.emit("mine")
    assert desk.controller.answers.model == "mine"
    assert "mine" in form.model.choices
    assert form.model.value == "mine"


def test_the_form_offers_the_thorough_mode_and_objects_tell_of_it(desk: Desk) -> None:
    assert desk.panel._form.model.choices[:2] == ("piclick-tiny", "piclick-tiny:thorough")
    desk.panel._form.model.value = "piclick-tiny:thorough"
    desk.click(5, 10, 10)
    desk.answered()
    making = Making.of(desk.controller.session.draft)
    assert making.model == "piclick-tiny:thorough"
    assert desk.controller.session.proposals.mask().any()


def test_a_model_that_is_not_used_any_more_is_let_go(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.qtbot.mouseClick(desk.panel._form.live.native, Qt.MouseButton.LeftButton)
    desk.move(5, 10, 10)
    desk.until(lambda: desk.viewer.layers["PiClick preview"].data.any())
    desk.click(5, 10, 10)
    desk.answered()
    desk.press("Return")
    desk.press("K")
    desk.until(lambda: not desk.controller.volume.running)
    answers = desk.controller.answers
    before = weakref.ref(answers.engine)
    monkeypatch.setattr(
        "napari_piclick._napari.answers.Engine.named",
        lambda *_: Engine(FloodPredictor),
    )
    answers.use("another")

    def gone() -> bool:
        gc.collect()
        return before() is None

    desk.until(gone)


def test_a_panel_that_is_closed_stops_what_its_window_of_models_does(
    desk: Desk, folder: Path
) -> None:
    gate = threading.Event()
    left: list[bool] = []

    class Run:
        def __init__(self, *_: object) -> None:
            self.steps = 3

        def __iter__(self) -> Iterator[Any]:
            try:
                for step in range(3):
                    yield SimpleNamespace(step=step, steps=3)
                    assert gate.wait(30)
            finally:
                left.append(True)

    target = desk.controller.labels.ready()
    target.layer.data[5, 5:20, 5:20] = 3
    form = desk.panel._form
    form.model.value = "more"
    panel = form._panel
    panel.fine_tune._make = Run
    panel.fine_tune.start()
    desk.until(lambda: "step 0 of 3" in panel.fine_tune.state.text())
    desk.panel._close()
    assert not panel.isVisible()
    gate.set()
    desk.until(lambda: left)
    desk.until(panel.fine_tune.button.isEnabled)
    assert "No model was made" in panel.fine_tune.state.text()


def test_a_download_shows_its_progress_and_can_be_stopped(
    folder: Path, qtbot: QtBot, server: FileServer
) -> None:
    digest = hashlib.sha256(MICRO.read_bytes()).hexdigest()
    (folder / "catalogue.toml").write_text(
        f'[[model]]\nname = "far"\nfile = "far.pth"\nlicence = "none"\n'
        f'url = "{server.url}"\nsha256 = "{digest}"\n'
    )
    panel = ModelPanel()
    qtbot.addWidget(panel)
    panel.show()
    item = panel.list.findItems("far", Qt.MatchFlag.MatchStartsWith)[0]
    shares: list[float] = []
    panel.arrived.connect(shares.append)
    # The connection is held after a while, as a slow one would be.
    server.hold_after = 400_000
    panel.list.itemDoubleClicked.emit(item)
    qtbot.waitUntil(lambda: panel.stop.isVisible(), timeout=60_000)
    assert panel.bar.isVisible()
    assert panel.bar.maximum() == 100
    assert 0 < panel.bar.value() < 100
    assert not panel.button.isEnabled()
    qtbot.mouseClick(panel.stop, Qt.MouseButton.LeftButton)
    server.go_on()
    qtbot.waitUntil(lambda: "What has arrived is kept" in panel.state.text(), timeout=60_000)
    assert not panel.bar.isVisible()
    assert not panel.stop.isVisible()
    assert (folder / "far.download" / "far.pth.part").stat().st_size > 0
    assert not list(folder.glob("*.safetensors*"))
    # It goes on from there, and the whole file is added.
    with qtbot.waitSignal(panel.added, timeout=60_000) as added:
        panel.list.itemDoubleClicked.emit(item)
    assert added.args == ["far"]
    assert server.asked[-1] is not None
    assert server.asked[-1].startswith("bytes=")
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    assert not panel.bar.isVisible()


def test_a_mode_is_asked_for_where_there_is_one(panel: ModelPanel, qtbot: QtBot) -> None:
    store.add(MICRO, "exact")
    tiny = Path(registry.MODELS["piclick-tiny"].weights)
    store.add(tiny, "ours")
    panel.draw()

    def chosen(name: str) -> str:
        item = panel.list.findItems(name, Qt.MatchFlag.MatchStartsWith)[0]
        with qtbot.waitSignal(panel.chosen) as signal:
            panel.list.itemDoubleClicked.emit(item)
        return str(signal.args[0])

    assert [chosen(name) for name in ("exact", "ours")] == ["exact", "ours"]
    panel.fast.setChecked(True)
    assert [chosen(name) for name in ("exact", "ours")] == ["exact:fast", "ours"]
    panel.thorough.setChecked(True)
    assert [chosen(name) for name in ("exact", "ours")] == ["exact:fast", "ours:thorough"]
    panel.fast.setChecked(False)
    assert [chosen(name) for name in ("exact", "ours")] == ["exact", "ours:thorough"]
