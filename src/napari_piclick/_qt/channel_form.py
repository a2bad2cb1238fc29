"""The channel form: which channels of an image the model is shown, as colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox, QFormLayout, QWidget

from napari_piclick._napari.channel_choice import channels_of, offered_channels
from napari_piclick._qt import volume_strings as strings

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_piclick._napari.controller import Controller


class ChannelForm(QWidget):
    """Three boxes, one for each colour; hidden where an image has but one channel.

    Parameters
    ----------
    controller : Controller
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._offered: list[tuple[str, Hashable]] = []
        self._chosen: list[Hashable | None] = [None for _ in strings.COLORS]
        self._drawing = False
        self.boxes = [QComboBox() for _ in strings.COLORS]
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, box in zip(strings.COLORS, self.boxes, strict=True):
            box.setToolTip(strings.CHANNELS_TIP)
            box.setAccessibleName(name)
            box.currentIndexChanged.connect(self._on_chosen)
            form.addRow(name, box)
        controller.changed.connect(self.draw)

    def draw(self) -> None:
        """Show which channels there are, and which are chosen."""
        view = self._controller.view
        if view.image is not None and view.plane is None:
            self.hide()  # what is chosen counts again as soon as a plane is in view
            return
        offered = [(channel.name, channel.origin) for channel in offered_channels(view)]
        self.setVisible(len(offered) > 1)
        before = [None for _ in self.boxes] if view.channels is None else self._chosen
        there = [origin for _, origin in offered]
        chosen = [origin if origin in there else None for origin in before]
        if offered != self._offered or chosen != self._chosen:
            self._offered, self._chosen = offered, chosen
            self._drawing = True
            for number, (box, origin) in enumerate(zip(self.boxes, chosen, strict=True)):
                box.clear()
                box.addItem(strings.AS_IT_IS if number == 0 else strings.NO_CHANNEL)
                box.addItems([name for name, _ in offered])
                box.setCurrentIndex(0 if origin is None else 1 + there.index(origin))
            self._drawing = False
        if chosen != before:
            self._tell()

    def _on_chosen(self) -> None:
        if not self._drawing:
            places = [box.currentIndex() - 1 for box in self.boxes]
            self._chosen = [None if place < 0 else self._offered[place][1] for place in places]
            self._tell()

    def _tell(self) -> None:
        """Have the model shown what is chosen."""
        view = self._controller.view
        there = {channel.origin: channel for channel in offered_channels(view)}
        view.show_channels(channels_of([there[o] for o in self._chosen if o in there]))
