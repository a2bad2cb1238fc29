"""The id that is selected in the labels: whoever selects it, all follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_piclick._qt.volume_strings import status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_piclick._napari.controller import Controller


@pytest.fixture
def labels(viewer: ViewerModel, blocks: np.ndarray) -> Labels:
    """Two objects, in labels that have no room for more."""
    viewer.add_image(blocks, name="blocks")
    data = np.zeros(blocks.shape, np.uint8)
    data[2:9, 5:20, 6:22] = 1
    data[1:11, 24:36, 10:20] = 255
    return viewer.add_labels(data, name="cells")


@pytest.fixture
def controller(labels: Labels, open_controller: Callable[[], Controller]) -> Iterator[Controller]:
    controller = open_controller()
    controller.labels.set_target(labels)
    labels.selected_label = 255
    yield controller
    controller.close()


def test_the_volume_section_hears_of_it(controller: Controller, labels: Labels) -> None:
    shown = []
    controller.volume.changed.connect(lambda: shown.append(status(controller.volume)))
    labels.selected_label = 1
    assert shown[-1].startswith("Object 1 is on 7 slices")
    controller.volume.selected.set_label(255)
    assert shown[-1].startswith("Object 255 is on 10 slices")
    controller.labels.set_target(None)
    count = len(shown)
    labels.selected_label = 7
    assert len(shown) == count, "these labels take no objects any more"


def test_an_object_is_selected_before_its_slice_comes_into_view(
    controller: Controller, viewer: ViewerModel, labels: Labels
) -> None:
    selected = []
    controller.view.plane_changed.connect(lambda: selected.append(labels.selected_label))
    controller.labels.jump(1)
    assert selected[-1] == 1


def test_ids_that_the_labels_cannot_hold_are_a_sentence(
    controller: Controller, labels: Labels, said: list[str]
) -> None:
    shown = []
    controller.volume.changed.connect(lambda: shown.append(controller.volume.selected.label))
    controller.volume.selected.set_label(300)
    controller.labels.start_new()
    assert said == [
        "The labels “cells” hold numbers up to 255: choose a smaller one.",
        "The labels “cells” hold numbers up to 255: the next object that you keep makes room for "
        "more.",
    ]
    assert shown[0] == 255, "the panel is to show again what is selected"


def test_the_next_object_makes_room(
    controller: Controller, labels: Labels, click: Callable[..., None], jobs: object
) -> None:
    controller.labels.start_new()
    controller.start()
    controller._viewer.dims.set_current_step(0, 5)
    click(5, 12, 35)
    jobs.work()
    controller.accept()
    assert controller.written.label == labels.selected_label == 256
