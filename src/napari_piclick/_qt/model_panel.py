"""The model panel: which models there are, where to get more, and a place to drop a file on."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from napari.qt.threading import create_worker
from napari.utils.notifications import show_info
from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QFileDialog,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_piclick._qt import strings
from napari_piclick.weights import store

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtGui import QDragEnterEvent, QDropEvent

    from napari_piclick.weights.store import Stored


class ModelPanel(QWidget):
    """Lists the models, and adds files that are dropped on it.

    Parameters
    ----------
    add : callable, optional
        Adds a file or a model of the catalogue to the store; runs outside the window's thread.

    Attributes
    ----------
    added : Signal
        With the name of a model that was added.
    chosen : Signal
        With the name of a model that was double-clicked.
    """

    added = Signal(str)
    chosen = Signal(str)

    def __init__(self, add: Callable[[str], Stored] = store.add) -> None:
        super().__init__()
        self._add = add
        self.setWindowTitle(strings.MODELS)
        self.setAcceptDrops(True)
        self.list = QListWidget()
        self.list.setToolTip(strings.MODELS_TIP)
        self.list.itemDoubleClicked.connect(self._on_double_clicked)
        self.text = QLabel(strings.where_models_are(_pages()))
        self.text.setWordWrap(True)
        self.text.setOpenExternalLinks(True)
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.button = QPushButton(strings.ADD_MODEL)
        self.button.clicked.connect(self._ask)
        layout = QVBoxLayout(self)
        for part in (self.list, self.text, self.button, self.state):
            layout.addWidget(part)
        self.draw()

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
        """Add a file, or a model of the catalogue, in the background."""
        self.button.setEnabled(False)
        self.state.setText(strings.adding(Path(source).name))
        create_worker(
            self._add,
            source,
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

    def _on_double_clicked(self, item: QListWidgetItem) -> None:
        name = str(item.data(Qt.ItemDataRole.UserRole))
        if name in store.stored():
            self.chosen.emit(name)
        else:
            self.add(name)

    def _on_added(self, model: Stored) -> None:
        self.button.setEnabled(True)
        self.state.setText(strings.added(model.name))
        show_info(strings.added(model.name))
        self.draw()
        self.added.emit(model.name)

    def _on_failed(self, error: Exception) -> None:
        self.button.setEnabled(True)
        self.state.setText(escape(str(error)))


def _pages() -> list[str]:
    """The pages on which authors hand out weights, each once."""
    return list(dict.fromkeys(e.page for e in store.catalogue().values() if e.page and not e.url))
