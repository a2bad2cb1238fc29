"""The form: which image, which labels, which model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import CheckBox, ComboBox
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QFormLayout, QHBoxLayout, QWidget

from napari_piclick._napari.answers import DEFAULT_MODEL, THOROUGH_MODEL
from napari_piclick._napari.view import labelled_planes
from napari_piclick._qt import strings

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari.layers import Layer

    from napari_piclick._napari.controller import Controller
    from napari_piclick._qt.model_panel import ModelPanel
    from napari_piclick.session.labelled_planes import LabelledPlanes

    Choices = list[tuple[str, Hashable]]

_NONE = "none"
_FILE = "file"
_MORE = "more"


class Form(QWidget):
    """Shows a controller's image, target and model, and asks it for others.

    Parameters
    ----------
    controller : Controller
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._drawing = True
        self._models = [DEFAULT_MODEL, THOROUGH_MODEL]
        self._panel: ModelPanel | None = None
        self._offered: dict[int, Choices] = {}
        # Callables, because magicgui asks again whenever the panel is docked elsewhere.
        self.image = ComboBox(tooltip=strings.IMAGE_TIP, choices=lambda _: self._images())
        self.target = ComboBox(tooltip=strings.LABELS_TIP, choices=lambda _: self._targets())
        self.model = ComboBox(tooltip=strings.MODEL_TIP, choices=lambda _: self._model_choices())
        self.overwrite = CheckBox(text=strings.OVERWRITE, tooltip=strings.OVERWRITE_TIP)
        self.live = CheckBox(text=strings.LIVE, tooltip=strings.LIVE_TIP)
        boxes = QHBoxLayout()
        boxes.addWidget(self.overwrite.native)
        boxes.addWidget(self.live.native)
        boxes.addStretch()
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout.addRow(strings.IMAGE, self.image.native)
        layout.addRow(strings.LABELS, self.target.native)
        layout.addRow(strings.MODEL, self.model.native)
        layout.addRow(boxes)
        for box, name in (
            (self.image, strings.IMAGE),
            (self.target, strings.LABELS),
            (self.model, strings.MODEL),
        ):
            box.native.setAccessibleName(name)
        self.image.changed.connect(self._on_image_chosen)
        self.target.changed.connect(self._on_labels_chosen)
        self.model.changed.connect(self._on_model_chosen)
        self.overwrite.changed.connect(self._on_overwrite_ticked)
        self.live.changed.connect(self._on_live_ticked)
        self.draw()

    def draw(self) -> None:
        """Show what the controller has now."""
        controller = self._controller
        self._drawing = True
        try:
            self._show(self.image, self._images(), _uid(controller.image))
            self._show(self.target, self._targets(), _uid(controller.target))
            self._show(self.model, self._model_choices(), controller.answers.model)
            self.overwrite.value = controller.labels.overwrite
            self.live.value = controller.live.on
        finally:
            self._drawing = False

    def _show(self, box: ComboBox, choices: Choices, chosen: Hashable) -> None:
        if self._offered.get(id(box)) != choices:
            self._offered[id(box)] = choices
            box.reset_choices()
        if box.value != chosen and chosen in box.choices:
            box.value = chosen

    def _images(self) -> Choices:
        layers = self._controller.view.images
        return [(layer.name, layer.unique_id) for layer in layers] or [(strings.NO_IMAGE, _NONE)]

    def _targets(self) -> Choices:
        layers = self._controller.labels.offered
        return [(strings.NEW_LABELS, _NONE), *((layer.name, layer.unique_id) for layer in layers)]

    def _model_choices(self) -> Choices:
        return [
            *((Path(path).name, path) for path in self._models),
            (strings.OTHER_MODEL, _FILE),
            (strings.MORE_MODELS, _MORE),
        ]

    def _on_image_chosen(self, uid: Hashable) -> None:
        if not self._drawing:
            layers = [layer for layer in self._controller.view.images if layer.unique_id == uid]
            self._controller.set_image(layers[0] if layers else None)

    def _on_labels_chosen(self, uid: Hashable) -> None:
        if not self._drawing:
            layers = [layer for layer in self._controller.labels.offered if layer.unique_id == uid]
            self._controller.labels.set_target(layers[0] if layers else None)

    def _on_model_chosen(self, model: str) -> None:
        if self._drawing:
            return
        if model == _MORE:
            self._show_models()
            model = ""
        elif model == _FILE:
            model, _ = QFileDialog.getOpenFileName(self, strings.MODEL, "", strings.MODEL_FILES)
            if model and model not in self._models:
                self._models.append(model)
        if model:
            self._controller.answers.use(model)
        self.draw()

    def _show_models(self) -> None:
        """Open the model panel in a window of its own."""
        if self._panel is None:
            from napari_piclick._qt.model_panel import ModelPanel

            self._panel = ModelPanel(planes=self._labelled_planes)
            self._panel.added.connect(self.use_model)
            self._panel.chosen.connect(self.use_model)
            # a window of its own, but ours: it has napari's theme, and goes when we do
            self._panel.setParent(self, Qt.WindowType.Window)
        self._panel.draw()
        self._panel.show()
        self._panel.raise_()
        self._panel.activateWindow()

    def close_models(self) -> None:
        """Close the model panel, and stop what goes on there."""
        if self._panel is not None:
            self._panel.leave()

    def _labelled_planes(self) -> LabelledPlanes | None:
        """The labelled planes of the current image, or None if there are none."""
        controller = self._controller
        if controller.image is None or controller.target is None or controller.plane is None:
            return None
        return labelled_planes(controller.image, controller.target, controller.plane)

    def use_model(self, name: str) -> None:
        """Offer a model from now on, and go over to it."""
        if name not in self._models:
            self._models.append(name)
        self._controller.answers.use(name)
        self.draw()

    def _on_overwrite_ticked(self, overwrite: bool) -> None:
        if not self._drawing:
            self._controller.labels.overwrite = overwrite

    def _on_live_ticked(self, on: bool) -> None:
        if not self._drawing:
            self._controller.live.switch(on)


def _uid(layer: Layer | None) -> Hashable:
    return _NONE if layer is None else layer.unique_id
