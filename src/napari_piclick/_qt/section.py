"""The section: a part of the panel under a heading, which opens and closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_piclick._qt import strings

if TYPE_CHECKING:
    from qtpy.QtWidgets import QPushButton

OPEN, CLOSED = "▾", "▸"
#: Qt's own word for "as high as it likes".
UNLIMITED = 16777215


class Section(QCollapsible):
    """A widget of the panel under a heading; a click on the heading, or Space, opens and closes it.

    Parameters
    ----------
    title : str
    content : QWidget
    opened : bool
        Whether it is open at first.
    """

    def __init__(self, title: str, content: QWidget, *, opened: bool = True) -> None:
        self._title = title
        super().__init__(title, expandedIcon=QIcon(), collapsedIcon=QIcon())
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self.content().deleteLater()
        self.setContent(content)
        self.setDuration(0)  # every frame of an animation would paint the whole window again
        self.toggled.connect(self._on_toggled)
        heading = self.heading
        heading.setFlat(True)
        # superqt's own takes away the frame that shows where the keyboard is
        heading.setStyleSheet(
            "QPushButton { text-align: left; font-weight: bold; padding: 2px; "
            "background: transparent; } QPushButton:focus { text-decoration: underline; }"
        )
        heading.setToolTip(strings.section_tip(title))
        (self.expand if opened else self.collapse)()

    @property
    def heading(self) -> QPushButton:
        """The button that opens and closes the section."""
        return self.toggleButton()

    def expand(self, animate: bool = False) -> None:
        """Open the section; it is never animated."""
        del animate
        super().expand(animate=False)

    def collapse(self, animate: bool = False) -> None:
        """Close the section; it is never animated."""
        del animate
        super().collapse(animate=False)

    def _on_toggled(self, opened: bool) -> None:
        # Hidden, because what has no height could still take the focus of the keyboard.
        self.content().setVisible(opened)
        self.content().setMaximumHeight(UNLIMITED if opened else 0)
        self.heading.setText(f"{OPEN if opened else CLOSED}  {self._title}")
        self.heading.setAccessibleName(strings.section_name(self._title, opened))


class Sections(QWidget):
    """Sections one below the other; see `Section`."""

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)

    def add(self, title: str, content: QWidget, *, opened: bool = True) -> Section:
        """Add a section at the end."""
        section = Section(title, content, opened=opened)
        self._column.addWidget(section)
        return section
