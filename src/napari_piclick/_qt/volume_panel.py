"""The volume panel: from one slice to the whole object, and which slices to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_piclick._napari.slice_numbers import SliceNumbers
from napari_piclick._qt import volume_strings as strings
from napari_piclick._qt.channel_form import ChannelForm
from napari_piclick._qt.quality_strip import QualityStrip
from napari_piclick.session.stopping import Rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_piclick._napari.controller import Controller

#: What each way means, in the order in which they are offered.
WAYS = ((strings.BOTH, (1, -1)), (strings.UP, (1,)), (strings.DOWN, (-1,)))


class VolumePanel(QWidget):
    """Shows a controller's volume, and sends it what the user wants.

    Parameters
    ----------
    controller : Controller
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._volume = controller.volume
        self._drawing = True
        self._axes: tuple[int, ...] = ()
        self._count = -1
        self._numbers = SliceNumbers()
        self.object = _spin(strings.OBJECT_TIP, 1, 2**31 - 1)
        self.along = QComboBox()
        self.along.setToolTip(strings.ALONG_TIP)
        self.way = QComboBox()
        self.way.setToolTip(strings.WAY_TIP)
        self.way.addItems([name for name, _ in WAYS])
        self.first = _spin(strings.RANGE_TIP)
        self.last = _spin(strings.RANGE_TIP)
        for box, name in (
            (self.object, strings.OBJECT),
            (self.along, strings.ALONG),
            (self.way, strings.WAY),
            (self.first, strings.FIRST),
            (self.last, strings.LAST),
        ):
            box.setAccessibleName(name)
        self.channels = ChannelForm(controller)
        self.propagate = QPushButton(strings.PROPAGATE)
        self.doubtful = _button(strings.DOUBTFUL, strings.DOUBTFUL_TIP, self._volume.go_to_doubtful)
        self.interpolate = _button(
            strings.INTERPOLATE, strings.INTERPOLATE_TIP, self._volume.interpolate
        )
        self.correct = _button(strings.CORRECT, strings.CORRECT_TIP, self._volume.correct)
        self.clear = _button(strings.CLEAR, strings.CLEAR_TIP, self._volume.clear_slice)
        self.again = QCheckBox(strings.AGAIN)
        self.again.setToolTip(strings.AGAIN_TIP)
        self.strip = QualityStrip()
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setMinimumHeight(self.status.fontMetrics().lineSpacing() * 3 + 6)
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._legend = QLabel(strings.LEGEND)
        self._legend.setWordWrap(True)
        self._lay_out()
        self.object.valueChanged.connect(self._on_object_chosen)
        self.along.currentIndexChanged.connect(self._on_axis_chosen)
        self.way.currentIndexChanged.connect(self._on_asked)
        self.first.valueChanged.connect(self._on_asked)
        self.last.valueChanged.connect(self._on_asked)
        self.propagate.clicked.connect(self._on_propagate)
        self.again.toggled.connect(self._on_again_ticked)
        self.strip.chosen.connect(self._volume.selected.go_to)
        self._volume.changed.connect(self.draw)
        self.draw()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(strings.OBJECT, self.object)
        form.addRow(strings.ALONG, self.along)
        form.addRow(strings.WAY, self.way)
        slices = QHBoxLayout()
        slices.addWidget(self.first, 1)
        slices.addWidget(QLabel(strings.TO))
        slices.addWidget(self.last, 1)
        form.addRow(strings.RANGE, slices)
        self._form = form
        buttons = QGridLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self.propagate, 0, 0, 1, 2)
        buttons.addWidget(self.doubtful, 1, 0, 1, 2)
        buttons.addWidget(self.correct, 2, 0)
        buttons.addWidget(self.clear, 2, 1)
        buttons.addWidget(self.interpolate, 3, 0, 1, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(form)
        layout.addLayout(buttons)
        layout.addWidget(self.again)
        layout.addWidget(self.strip)
        layout.addWidget(self._legend)
        layout.addWidget(self.status)
        layout.addWidget(self.channels)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As wide as the rest of the panel."""
        return QSize(220, super().sizeHint().height())

    def draw(self) -> None:
        """Show what there is now."""
        volume = self._volume
        self._drawing = True
        try:
            self._draw_axes()
            count, followed = volume.selected.count, volume.selected.followed
            numbers = volume.selected.numbers
            if (count, numbers) != (self._count, self._numbers):
                chosen = self._range() if count == self._count else (0, max(count - 1, 0))
                self._count, self._numbers = count, numbers
                ends = sorted(numbers.shown(index) for index in (0, max(count - 1, 0)))
                values = sorted(numbers.shown(index) for index in chosen)
                for box, value in zip((self.first, self.last), values, strict=True):
                    box.setRange(*ends)
                    box.setValue(value)
                self._on_asked()
            self.object.setValue(max(volume.selected.label, 1))
            self.again.setChecked(volume.again)
            self.propagate.setText(strings.STOP if volume.running else strings.PROPAGATE)
            self.propagate.setToolTip(strings.STOP_TIP if volume.running else strings.PROPAGATE_TIP)
            idle = not volume.running and followed is not None
            for button in (self.interpolate, self.correct, self.clear, self.doubtful):
                button.setEnabled(idle)
            self.propagate.setEnabled(volume.running or volume.selected.axis is not None)
            ratings = [] if followed is None else followed.ratings
            self.strip.draw(ratings, count, volume.selected.index, numbers)
            text = strings.status(volume)
            if self.status.text() != text:
                self.status.setText(text)
            self.channels.draw()
        finally:
            self._drawing = False

    def _draw_axes(self) -> None:
        axes = self._volume.selected.axes
        if axes != self._axes:
            self._axes = axes
            self.along.clear()
            image = self._controller.image
            names = () if image is None else image.axis_labels
            for axis in axes:
                name = names[axis] if axis < len(names) else str(axis)
                self.along.addItem(f"axis {name}" if name.lstrip("-").isdigit() else name)
        if self._volume.selected.axis in axes:
            self.along.setCurrentIndex(axes.index(self._volume.selected.axis))
        self._form.setRowVisible(self.along, len(axes) > 1)

    def _on_object_chosen(self, label: int) -> None:
        if not self._drawing:
            self._volume.selected.set_label(label)

    def _on_axis_chosen(self, place: int) -> None:
        if not self._drawing and 0 <= place < len(self._axes):
            self._volume.selected.set_axis(self._axes[place])

    def _on_again_ticked(self, again: bool) -> None:
        if not self._drawing:
            self._volume.again = again

    def _on_propagate(self) -> None:
        if self._volume.running:
            self._volume.cancel()
            return
        self._volume.propagate(*self._volume.asked)

    def _on_asked(self) -> None:
        """The key propagates as the button does."""
        numbers = self._numbers
        steps = tuple(numbers.upwards(step) for step in WAYS[self.way.currentIndex()][1])
        first, last = self._range()
        whole = (first, last) == (0, self._count - 1)
        self._volume.asked = (steps, None if whole else Rules(first=first, last=last))

    def _range(self) -> tuple[int, int]:
        """The first and last slice of the array to keep to."""
        first, last = sorted(self._numbers.index(box.value()) for box in (self.first, self.last))
        return first, last


def _spin(tip: str, low: int = 0, high: int = 0) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setToolTip(tip)
    box.setKeyboardTracking(False)
    return box


def _button(text: str, tip: str, request: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.clicked.connect(lambda: request())
    return button
