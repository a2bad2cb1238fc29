"""The object panel: a table of the labelled objects, and what can be done to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_warning
from qtpy.QtCore import QSignalBlocker, Qt, QTimer
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_piclick._qt import object_strings as strings
from napari_piclick._qt.enter_key import EnterKey
from napari_piclick.io.chosen_file import chosen_file
from napari_piclick.io.errors import VolumeError
from napari_piclick.session.saved_session import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtGui import QShowEvent

    from napari_piclick._napari.controller import Controller
    from napari_piclick.session.object_table import Row

#: The table is drawn again so long after a change, in milliseconds: changes come in flocks.
REDRAW_AFTER = 80
ROWS_SHOWN = 6
#: The column of the table with the class of an object.
CLASS = 1


class ObjectPanel(QWidget):
    """Shows a controller's objects and sends it requests; it looks at them only while it is seen.

    Parameters
    ----------
    controller : Controller
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._rows: list[Row] = []
        self._headings: list[str] = []
        self.table = _table()
        self.table.cellDoubleClicked.connect(self._on_activated)
        EnterKey(self.table, taken=True).pressed.connect(self._on_entered)
        self.this_slice = QCheckBox(strings.THIS_SLICE)
        self.this_slice.setToolTip(strings.THIS_SLICE_TIP)
        self.kind = QComboBox()
        self.kind.setEditable(True)
        self.kind.setToolTip(strings.CLASS_TIP)
        self.kind.setAccessibleName(strings.CLASS)
        line = self.kind.lineEdit()
        assert line is not None
        line.setPlaceholderText(strings.NO_CLASS)
        self.kind.textActivated.connect(self._on_class_chosen)
        self.colors = QComboBox()
        self.colors.addItems([strings.BY_OBJECT, strings.BY_CLASS])
        self.colors.setToolTip(strings.COLORS_TIP)
        self.colors.setAccessibleName(strings.COLORS)
        self.colors.currentIndexChanged.connect(self._on_colors_chosen)
        classes = QHBoxLayout()
        classes.setSpacing(4)
        classes.addWidget(self.kind, 1)
        classes.addWidget(self.colors, 1)
        buttons = QGridLayout()
        buttons.setSpacing(4)
        for number, (text, tip, request) in enumerate(
            (
                (strings.REFINE, strings.REFINE_TIP, self._on_refine),
                (strings.NEW, strings.NEW_TIP, self._on_new),
                (strings.MERGE, strings.MERGE_TIP, self._on_merge),
                (strings.DELETE, strings.DELETE_TIP, self._on_delete),
                (strings.LARGEST, strings.LARGEST_TIP, self._on_largest),
                (strings.FILL, strings.FILL_TIP, self._on_fill),
                (strings.SMOOTH, strings.SMOOTH_TIP, self._on_smooth),
                (strings.SAVE, strings.SAVE_TIP, self._on_save),
                (strings.OPEN, strings.OPEN_TIP, self._on_open),
            )
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(request)
            buttons.addWidget(button, number // 3, number % 3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.table)
        layout.addLayout(classes)
        layout.addLayout(buttons)
        layout.addWidget(self.this_slice)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REDRAW_AFTER)
        self._timer.timeout.connect(self.draw)
        controller.changed.connect(self._on_changed)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw when the panel comes into view."""
        super().showEvent(event)
        self._timer.start()

    @property
    def selected(self) -> list[int]:
        """The ids of the selected objects, in the order of the table."""
        numbers = sorted({index.row() for index in self.table.selectedIndexes()})
        return [self._rows[number].label for number in numbers]

    def draw(self) -> None:
        """Show the objects as they are now."""
        with QSignalBlocker(self.colors):
            self.colors.setCurrentIndex(int(self._controller.class_colors.on))
        labels = self._controller.labels
        rows = labels.table()
        image = self._controller.image
        headings = strings.headings(labels.scale()[1], 2 if image is None else image.ndim)
        if rows == self._rows and headings == self._headings:
            return
        selected = set(self.selected)
        self._rows, self._headings = rows, headings
        with QSignalBlocker(self.table):
            self.table.setHorizontalHeaderLabels(headings)
            self.table.setRowCount(len(rows))
            self.table.clearSelection()
            for number, row in enumerate(rows):
                for column, text in enumerate(strings.cells(row)):
                    item = QTableWidgetItem(text)
                    if column != CLASS:
                        item.setTextAlignment(
                            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                        )
                    else:
                        item.setToolTip(text)
                        if row.color is not None:
                            item.setData(Qt.ItemDataRole.DecorationRole, QColor(row.color))
                    self.table.setItem(number, column, item)
                    item.setSelected(row.label in selected)
        self._offer_classes()

    def _offer_classes(self) -> None:
        names = list(self._controller.session.objects.classes)
        if [self.kind.itemText(k) for k in range(self.kind.count())] != names:
            with QSignalBlocker(self.kind):
                self.kind.clear()
                self.kind.addItems(names)
                self.kind.setCurrentIndex(-1)

    # -- requests -------------------------------------------------------------------------

    def _on_changed(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def _on_activated(self, number: int) -> None:
        self._controller.labels.jump(self._rows[number].label)

    def _on_entered(self) -> None:
        if self.table.currentRow() >= 0:
            self._on_activated(self.table.currentRow())

    def _each(self, request: Callable[[int], object]) -> None:
        if not self.selected:
            show_warning(strings.SELECT_FIRST)
        for label in self.selected:
            request(label)

    def _on_refine(self) -> None:
        if not self.selected:
            show_warning(strings.SELECT_FIRST)
        elif self._controller.labels.reopen(self.selected[0]):
            self._controller.start()

    def _on_new(self) -> None:
        self._controller.labels.start_new()
        self._controller.start()

    def _on_delete(self) -> None:
        self._each(self._controller.labels.delete)

    def _on_merge(self) -> None:
        if len(self.selected) < 2:
            show_warning(strings.SELECT_TWO)
            return
        first, *others = self.selected
        for label in others:
            self._controller.labels.merge(label, first)

    def _on_largest(self) -> None:
        whole = not self.this_slice.isChecked()
        self._each(lambda label: self._controller.labels.keep_largest(label, whole=whole))

    def _on_fill(self) -> None:
        whole = not self.this_slice.isChecked()
        self._each(lambda label: self._controller.labels.fill_holes(label, whole=whole))

    def _on_smooth(self) -> None:
        whole = not self.this_slice.isChecked()
        self._each(lambda label: self._controller.labels.smooth(label, whole=whole))

    def _on_class_chosen(self, name: str) -> None:
        self._each(lambda label: self._controller.labels.classify(label, name.strip()))

    def _on_colors_chosen(self, index: int) -> None:
        self._controller.class_colors.switch(bool(index))

    def _on_save(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, strings.SAVE, "", strings.FILES)
        if not name:
            return
        try:
            path = chosen_file(name, SUFFIX)
        except VolumeError as error:
            show_warning(str(error))
        else:
            self._controller.saver.save(path)

    def _on_open(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, strings.OPEN, "", strings.FILES)
        if name:
            self._controller.saver.open(Path(name))


def _table() -> QTableWidget:
    table = QTableWidget(0, 6)
    table.setToolTip(strings.TABLE_TIP)
    table.setAccessibleName(strings.OBJECTS)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setTabKeyNavigation(False)
    table.setHorizontalHeaderLabels(strings.headings("pixel", 2))
    vertical, horizontal = table.verticalHeader(), table.horizontalHeader()
    assert vertical is not None
    assert horizontal is not None
    vertical.hide()
    horizontal.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    # the names of classes may be long: they take what the figures leave
    horizontal.setSectionResizeMode(CLASS, QHeaderView.ResizeMode.Stretch)
    table.setMinimumHeight(vertical.defaultSectionSize() * ROWS_SHOWN)
    return table
