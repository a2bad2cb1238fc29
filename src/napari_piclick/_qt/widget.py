"""The dock widget: it draws what the controller has, and sends it what the user wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeySequence, QShortcut  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QGridLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_piclick._napari import keys
from napari_piclick._napari.controller import DEFAULT_MODEL, Controller
from napari_piclick._napari.jobs import Jobs
from napari_piclick._napari.preferences import Preferences
from napari_piclick._qt import object_strings, strings, volume_strings
from napari_piclick._qt.activities import Activities
from napari_piclick._qt.autosave_timer import AutosaveTimer
from napari_piclick._qt.busy_line import BusyLine
from napari_piclick._qt.canvas_tab import CanvasTab
from napari_piclick._qt.enter_key import leave_enter_to_editors
from napari_piclick._qt.first_steps import FirstSteps
from napari_piclick._qt.form import Form
from napari_piclick._qt.object_panel import ObjectPanel
from napari_piclick._qt.proposal_strip import ProposalStrip
from napari_piclick._qt.recovery_banner import RecoveryBanner
from napari_piclick._qt.scroll_column import ScrollColumn
from napari_piclick._qt.section import Sections
from napari_piclick._qt.volume_panel import VolumePanel
from napari_piclick.session.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari.viewer
    from qtpy.QtGui import QShowEvent


#: What napari's style adds to the height of a label, in pixels.
PADDING = 6
#: Qt tells of a screen with other pixels from 6.6 on.
OTHER_SCREEN = getattr(QEvent.Type, "DevicePixelRatioChange", None)


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
    objects : ObjectPanel
        The table of objects.
    autosave : AutosaveTimer
        Saves every few minutes; ``autosave.set_minutes`` says how often.
    sections : Sections
        What is below the proposals, under headings that open and close.
    volume : VolumePanel
        The section for volumes; images of one plane do not show it.
    """

    def __init__(self, viewer: napari.viewer.Viewer, engine: Engine | None = None) -> None:
        super().__init__()
        self.preferences = Preferences()
        engine = engine or Engine.named(DEFAULT_MODEL, self.preferences.options)
        engine.options = self.preferences.options
        self.controller = Controller(viewer, Jobs(engine))
        self.controller.answers.options = self.preferences.options
        self.controller.overlay.set_opacity(self.preferences.preview_opacity)
        self.controller.live.switch(self.preferences.live_preview)
        self.controller.live.toggled.connect(self._on_live_toggled)
        self._first_steps = FirstSteps()
        self._first_steps.dismissed.connect(self._on_dismissed)
        self._form = Form(self.controller)
        self._status = _label(lines=2)
        self._busy = BusyLine()
        self._busy.began.connect(self._draw)
        self._heading = _label()
        self._device = _label()
        self._strip = ProposalStrip()
        self._strip.chosen.connect(self.controller.choose)
        self._strip.looked_at.connect(self.controller.overlay.peek)
        self._hint = _label(strings.HINT)
        self._start = QPushButton(strings.START)
        self._start.setToolTip(strings.START_TIP)
        self._start.clicked.connect(lambda: self.controller.start())
        self._undo = self._button(strings.UNDO, keys.UNDO)
        self._redo = self._button(strings.REDO, keys.REDO)
        self._cancel = self._button(strings.CANCEL, keys.CANCEL)
        self._accept = self._button(strings.ACCEPT, keys.ACCEPT)
        self.sections = Sections()
        self.objects = ObjectPanel(self.controller)
        self.sections.add(object_strings.OBJECTS, self.objects, opened=False)
        self._banner = RecoveryBanner(self.controller)
        self.autosave = AutosaveTimer(
            self.controller.saver, self, self.preferences.autosave_minutes
        )
        self.volume = VolumePanel(self.controller)
        self._activities = Activities(self.controller)
        self._volume_section = self.sections.add(volume_strings.TITLE, self.volume)
        self._tab = CanvasTab(self, self.controller)
        self._lay_out()
        for shortcut in keys.SHORTCUTS:
            self._bind(shortcut)
        leave_enter_to_editors(self)
        self.controller.changed.connect(self._draw)
        self.preferences.changed.connect(self._on_preference_changed)
        # not to a method of this widget: Qt no longer calls those of what it is destroying
        self.destroyed.connect(self.controller.close)
        self.destroyed.connect(self.preferences.close)
        self.destroyed.connect(self._activities.close)
        self._draw()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Find the canvas of the window that the panel has come to."""
        super().showEvent(event)
        self._tab.watch(self)
        self._area.fit_width()
        self.controller.overlay.set_pixel_ratio(self.devicePixelRatioF())

    def event(self, event: QEvent | None) -> bool:
        """Let go of the viewer when the panel is taken out of its window."""
        moved = event is not None and event.type() == QEvent.Type.ParentChange
        if moved and self.parent() is None:
            self._close()
        if event is not None and event.type() == OTHER_SCREEN:
            self.controller.overlay.set_pixel_ratio(self.devicePixelRatioF())
        return bool(super().event(event))

    def _lay_out(self) -> None:
        buttons = QGridLayout()
        buttons.setSpacing(4)
        for column, button in enumerate((self._undo, self._redo, self._cancel)):
            buttons.addWidget(button, 0, column)
        buttons.addWidget(self._accept, 1, 0, 1, 3)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(9, 6, 9, 9)
        layout.setSpacing(6)
        layout.addWidget(self._banner)
        layout.addWidget(self._form)
        layout.addWidget(self._first_steps)
        layout.addWidget(self._status)
        layout.addWidget(self._busy)
        layout.addLayout(buttons)
        layout.addWidget(self._heading)
        layout.addWidget(self._strip)
        layout.addWidget(self._start)
        layout.addWidget(self._hint)
        layout.addWidget(self._device)
        layout.addWidget(self.sections)
        layout.addStretch()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        self._area = ScrollColumn(content)
        whole.addWidget(self._area)

    def _draw(self) -> None:
        """Show what the controller has now."""
        controller = self.controller
        session = controller.session
        self._form.draw()
        self._first_steps.setVisible(self.preferences.show_help)
        self._start.setHidden(controller.listening)
        self._hint.setVisible(controller.listening and not self.preferences.show_help)
        self._busy.show_busy(controller.answers.stage is not None or bool(controller.saver.busy))
        self._activities.draw(self._busy.moving)
        _show(self._status, strings.status(controller, busy=self._busy.moving))
        proposals = session.proposals
        _show(
            self._heading,
            strings.NO_PROPOSALS if proposals is None else strings.chosen_line(proposals),
        )
        _show(self._device, strings.device(controller))
        self._volume_section.setVisible(bool(controller.volume.selected.axes))
        self._strip.draw(proposals, controller.answers.thumbnails, controller.view.pixel)
        self._undo.setEnabled(session.can_undo)
        self._redo.setEnabled(session.can_redo)
        self._cancel.setEnabled(bool(session.clicks))
        self._accept.setEnabled(proposals is not None or session.question is not None)

    def _close(self) -> None:
        self._form.close_models()
        self.controller.close()
        self.preferences.close()
        self._activities.close()

    def _on_dismissed(self) -> None:
        self.preferences.show_help = False

    def _on_live_toggled(self, on: bool) -> None:
        self.preferences.live_preview = on
        self._draw()

    def _on_preference_changed(self, name: str) -> None:
        if name == "device":
            self.controller.answers.reload()
        if name == "autosave_minutes":
            self.autosave.set_minutes(self.preferences.autosave_minutes)
        self.controller.overlay.set_opacity(self.preferences.preview_opacity)
        self.controller.live.switch(self.preferences.live_preview)
        self._draw()

    def _button(self, text: str, shortcut: keys.Shortcut) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(strings.tip(shortcut))
        button.clicked.connect(self._request(shortcut))
        return button

    def _bind(self, shortcut: keys.Shortcut) -> None:
        """Bind a shortcut while the focus is in the panel; in the canvas the layer has it."""
        for key in () if shortcut.navigates else shortcut.qt_keys:
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


def _show(label: QLabel, text: str) -> None:
    # Qt lays out and paints anew even if the text is the same
    if label.text() != text:
        label.setText(text)
