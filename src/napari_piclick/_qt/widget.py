"""The dock widget: it draws what the controller has, and sends it what the user wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeySequence, QShortcut  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QGridLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_piclick._napari import keys
from napari_piclick._napari.controller import DEFAULT_MODEL, Controller
from napari_piclick._napari.jobs import Jobs
from napari_piclick._qt import strings
from napari_piclick._qt.form import Form
from napari_piclick._qt.proposal_strip import ProposalStrip
from napari_piclick.session.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari.viewer


#: What napari's style adds to the height of a label, in pixels.
PADDING = 6


class PiClickWidget(QWidget):
    """Segment an image by clicking on its objects.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    engine : Engine, optional
        Answers the clicks; the default model's if not given.

    Attributes
    ----------
    controller : Controller
        Does all the work; scripts may call it as the buttons do.
    """

    def __init__(self, viewer: napari.viewer.Viewer, engine: Engine | None = None) -> None:
        super().__init__()
        self.controller = Controller(viewer, Jobs(engine or Engine.named(DEFAULT_MODEL)))
        self._form = Form(self.controller)
        self._status = _label(lines=2)
        self._busy = _busy_line()
        self._heading = _label()
        self._device = _label()
        self._strip = ProposalStrip()
        self._strip.chosen.connect(self.controller.choose)
        self._hint = _label(strings.HINT)
        self._start = QPushButton(strings.START)
        self._start.setToolTip(strings.START_TIP)
        self._start.clicked.connect(lambda: self.controller.start())
        self._undo = self._button(strings.UNDO, keys.UNDO)
        self._redo = self._button(strings.REDO, keys.REDO)
        self._cancel = self._button(strings.CANCEL, keys.CANCEL)
        self._accept = self._button(strings.ACCEPT, keys.ACCEPT)
        self._lay_out()
        for shortcut in keys.SHORTCUTS:
            self._bind(shortcut)
        self.controller.changed.connect(self._draw)
        self.destroyed.connect(self.controller.close)
        self._draw()

    def event(self, event: QEvent | None) -> bool:
        """Let go of the viewer when the panel is taken out of its window."""
        moved = event is not None and event.type() == QEvent.Type.ParentChange
        if moved and self.parent() is None:
            self.controller.close()
        return bool(super().event(event))

    def _lay_out(self) -> None:
        buttons = QGridLayout()
        buttons.setSpacing(4)
        for column, button in enumerate((self._undo, self._redo, self._cancel)):
            buttons.addWidget(button, 0, column)
        buttons.addWidget(self._accept, 1, 0, 1, 3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(9, 6, 9, 9)
        layout.setSpacing(6)
        layout.addWidget(self._form)
        layout.addWidget(self._status)
        layout.addWidget(self._busy)
        layout.addLayout(buttons)
        layout.addWidget(self._heading)
        layout.addWidget(self._strip)
        layout.addWidget(self._start)
        layout.addWidget(self._hint)
        layout.addWidget(self._device)
        layout.addStretch()

    def _draw(self) -> None:
        """Show what the controller has now."""
        controller = self.controller
        session = controller.session
        self._form.draw()
        self._start.setHidden(controller.listening)
        self._hint.setVisible(controller.listening)
        self._status.setText(strings.status(controller))
        self._busy.setRange(0, 0 if controller.stage is not None else 1)
        proposals = session.proposals
        self._heading.setText(
            strings.NO_PROPOSALS if proposals is None else strings.chosen_line(proposals)
        )
        self._device.setText(strings.device(controller))
        self._strip.draw(proposals, controller.thumbnails)
        self._undo.setEnabled(session.can_undo)
        self._redo.setEnabled(session.can_redo)
        self._cancel.setEnabled(bool(session.clicks))
        self._accept.setEnabled(proposals is not None or session.question is not None)

    def _button(self, text: str, shortcut: keys.Shortcut) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(strings.tip(shortcut))
        button.clicked.connect(self._request(shortcut))
        return button

    def _bind(self, shortcut: keys.Shortcut) -> None:
        """Bind a shortcut while the focus is in the panel; in the canvas the layer has it."""
        for key in shortcut.qt_keys:
            bound = QShortcut(QKeySequence(key), self)
            bound.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            bound.activated.connect(self._request(shortcut))

    def _request(self, shortcut: keys.Shortcut) -> Callable[[], None]:
        def request() -> None:
            shortcut.action(self.controller)

        return request


def _label(text: str = "", lines: int = 1) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setMinimumHeight(label.fontMetrics().lineSpacing() * lines + PADDING)
    return label


def _busy_line() -> QProgressBar:
    """A thin line that moves while the worker is busy, and takes no room in the layout."""
    line = QProgressBar()
    line.setTextVisible(False)
    line.setFixedHeight(4)
    line.setRange(0, 1)
    return line
