"""The channel form: which channels of an image the model is shown, as colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox, QFormLayout, QWidget

from napari_piclick._napari.channel_choice import channels_of, offered_channels
from napari_piclick._qt import volume_strings as strings

if TYPE_CHECKING:
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
        self._offered: list[str] = []
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

    def draw(self) -> None:
        """Show which channels there are."""
        offered = offered_channels(self._controller.view)
        names = [channel.name for channel in offered]
        self.setVisible(len(names) > 1)
        shown = self._controller.view.channels
        if names != self._offered or (shown is None and self._chosen()):
            self._offered = names
            self._drawing = True
            for number, box in enumerate(self.boxes):
                box.clear()
                box.addItems([strings.AS_IT_IS if number == 0 else strings.NO_CHANNEL, *names])
            self._drawing = False

    def _chosen(self) -> list[int]:
        return [box.currentIndex() - 1 for box in self.boxes if box.currentIndex() > 0]

    def _on_chosen(self) -> None:
        if not self._drawing:
            view = self._controller.view
            offered = offered_channels(view)
            view.show_channels(channels_of([offered[number] for number in self._chosen()]))
