"""The model panel: which models there are, where to get more, and a place to drop a file on."""

from __future__ import annotations

from html import escape
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from napari.qt.threading import create_worker
from napari.utils.notifications import show_info
from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_piclick._qt import strings
from napari_piclick._qt.enter_key import EnterKey
from napari_piclick._qt.fine_tune_panel import FineTunePanel
from napari_piclick._qt.section import Section
from napari_piclick.weights import store
from napari_piclick.weights.download import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtGui import QDragEnterEvent, QDropEvent

    from napari_piclick.session.labelled_planes import LabelledPlanes
    from napari_piclick.weights.download import Progress
    from napari_piclick.weights.store import Stored


#: The lines of the list and the links fit into so many pixels.
WIDTH = 400


class ModelPanel(QWidget):
    """Lists the models, and adds files that are dropped on it.

    Parameters
    ----------
    add : callable, optional
        Adds a file or a model of the catalogue to the store, and tells of the download if there is
        one; runs outside the window's thread.
    planes : callable, optional
        Gives the labelled planes of the current image, to fine-tune on; see `FineTunePanel`.

    Attributes
    ----------
    added : Signal
        With the name of a model that was added.
    chosen : Signal
        With the name of a model that was double-clicked.
    arrived : Signal
        With the share of a download that is there, from 0 to 1; emitted in any thread.
    """

    added = Signal(str)
    chosen = Signal(str)
    arrived = Signal(float)

    def __init__(
        self,
        add: Callable[[str, str | None, Progress], Stored] = store.add,
        planes: Callable[[], LabelledPlanes | None] | None = None,
    ) -> None:
        super().__init__()
        self._add = add
        self._stopped = Event()
        self.destroyed.connect(self._stopped.set)
        self.setWindowTitle(strings.MODELS)
        self.setMinimumWidth(WIDTH)
        self.setAcceptDrops(True)
        self.list = QListWidget()
        self.list.setToolTip(strings.MODELS_TIP)
        self.list.setAccessibleName(strings.MODELS)
        self.list.setWordWrap(True)
        self.list.itemDoubleClicked.connect(self._on_double_clicked)
        EnterKey(self.list, taken=True).pressed.connect(self._on_entered)
        self.text = QLabel(strings.where_models_are(_pages()))
        self.text.setWordWrap(True)
        self.text.setOpenExternalLinks(True)
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.button = QPushButton(strings.ADD_MODEL)
        self.button.setToolTip(strings.ADD_MODEL_TIP)
        self.button.clicked.connect(self._ask)
        self.fast = QCheckBox(strings.FAST_MODE)
        self.fast.setToolTip(strings.FAST_MODE_TIP)
        self.thorough = QCheckBox(strings.THOROUGH_MODE)
        self.thorough.setToolTip(strings.THOROUGH_MODE_TIP)
        self.bar = QProgressBar()
        self.bar.hide()
        self.stop = QPushButton(strings.STOP_ADDING)
        self.stop.setToolTip(strings.STOP_ADDING_TIP)
        self.stop.clicked.connect(self._stopped.set)
        self.stop.hide()
        self.arrived.connect(self._on_arrived)
        layout = QVBoxLayout(self)
        for part in (
            self.list, self.fast, self.thorough,
            self.text, self.button, self.state, self.bar, self.stop,
        ):  # fmt: skip
            layout.addWidget(part)
        self.fine_tune: FineTunePanel | None = None
        if planes is not None:
            self.fine_tune = FineTunePanel(planes)
            self.fine_tune.added.connect(self._on_made)
            layout.addWidget(Section(strings.FINE_TUNING, self.fine_tune, opened=False))
        self.draw()

    def leave(self) -> None:
        """Stop all that goes on here, and close the window."""
        self._stopped.set()
        if self.fine_tune is not None:
            self.fine_tune.cancel()
        self.close()

    def draw(self) -> None:
        """Show the models that there are now."""
        self.list.clear()
        here = store.stored()
        names = {name: strings.model_here(name) for name in here}
        for name, entry in store.catalogue().items():
            names.setdefault(name, strings.model_elsewhere(name, bool(entry.url)))
        for name, text in names.items():
            item = QListWidgetItem(text)
            item.setData(Qt.ItemDataRole.UserRole, name)
            self.list.addItem(item)

    def add(self, source: str) -> None:
        """Add a file, or a model of the catalogue, in the background; one at a time."""
        if not self.button.isEnabled():
            return
        self._stopped.clear()
        self._show_busy(True)
        self.state.setText(strings.adding(Path(source).name))
        create_worker(
            self._add,
            source,
            None,
            self._tell,
            _connect={"returned": self._on_added, "errored": self._on_failed},
            _ignore_errors=True,
        )

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802
        """Take files, and nothing else."""
        data = event.mimeData() if event is not None else None
        if event is not None and data is not None and data.hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802
        """Add the file that was dropped."""
        data = event.mimeData() if event is not None else None
        files = [url.toLocalFile() for url in data.urls()] if data is not None else []
        if event is not None and files and files[0]:
            event.acceptProposedAction()
            self.add(files[0])

    def _ask(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, strings.ADD_MODEL, "", strings.MODEL_FILES)
        if path:
            self.add(path)

    def _tell(self, there: int, total: int | None) -> None:
        """Tell the window how much has arrived; this runs where the download does."""
        if self._stopped.is_set():
            raise Cancelled
        if total:
            self.arrived.emit(there / total)

    def _on_arrived(self, share: float) -> None:
        # When all of it is there it is checked and converted, which takes a moment longer.
        self.bar.setRange(0, 100 if share < 1 else 0)
        self.bar.setValue(int(100 * share))
        self.stop.setVisible(share < 1)

    def _on_double_clicked(self, item: QListWidgetItem) -> None:
        name = str(item.data(Qt.ItemDataRole.UserRole))
        model = store.stored().get(name)
        if model is None:
            self.add(name)
        else:
            self.chosen.emit(self._wanted(model))

    def _on_entered(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self._on_double_clicked(item)

    def _wanted(self, model: Stored) -> str:
        """The name to ask for, with a mode where that is ticked and the model has it."""
        return model.named(fast=self.fast.isChecked(), thorough=self.thorough.isChecked())

    def _on_added(self, model: Stored) -> None:
        self._show_busy(False)
        self.state.setText(strings.added(model.name))
        show_info(strings.added(model.name))
        self.draw()
        self.added.emit(self._wanted(model))

    def _on_made(self, name: str) -> None:
        self.draw()
        self.added.emit(name)

    def _on_failed(self, error: Exception) -> None:
        self._show_busy(False)
        stopped = isinstance(error, Cancelled)
        self.state.setText(strings.STOPPED_ADDING if stopped else escape(str(error)))

    def _show_busy(self, busy: bool) -> None:
        self.button.setEnabled(not busy)
        self.bar.setRange(0, 0)
        self.bar.setVisible(busy)
        self.stop.hide()


def _pages() -> list[str]:
    """The pages on which authors hand out weights, each once."""
    return list(dict.fromkeys(e.page for e in store.catalogue().values() if e.page and not e.url))
