"""Labels in the colours of their classes, with undo, merge and a way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.utils.colormaps import CyclicLabelColormap, DirectLabelColormap

from napari_piclick._napari.class_colors import NO_CLASS

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Labels
    from tests._napari.conftest import PatientJobs

    from napari_piclick._napari.controller import Controller

GRAY = NO_CLASS[:3]
FIRST, SECOND = (0.902, 0.624, 0), (0.337, 0.706, 0.914)


@pytest.fixture
def labels(viewer: ViewerModel, blocks: np.ndarray) -> Labels:
    data = np.zeros(blocks.shape, np.uint16)
    for label, value in enumerate((60, 120, 200), start=1):
        data[blocks == value] = label
    viewer.add_image(blocks, name="blocks")
    return viewer.add_labels(data)


@pytest.fixture
def controller(
    viewer: ViewerModel, labels: Labels, open_controller: Callable[[], Controller]
) -> Controller:
    controller = open_controller()
    controller.labels.set_target(labels)
    return controller


@pytest.fixture
def by_class(controller: Controller, jobs: PatientJobs) -> None:
    controller.class_colors.switch(True)
    jobs.streams[2].work()


def colors(labels: Labels, *ids: int) -> list[tuple[float, ...]]:
    found = [labels.get_color(label)[:3] for label in ids]
    return [tuple(round(float(part), 3) for part in color) for color in found]


@pytest.mark.usefixtures("by_class")
def test_they_follow_classes_undo_merge_and_new_objects(
    controller: Controller, labels: Labels
) -> None:
    actions = controller.labels
    assert colors(labels, 1, 2, 3) == [GRAY] * 3
    actions.classify(1, "nucleus")
    actions.classify(2, "vesicle")
    assert colors(labels, 1, 2, 3, 77) == [FIRST, SECOND, GRAY, GRAY]
    assert not labels.get_color(0) or labels.get_color(0)[3] == 0
    controller.undo()
    assert colors(labels, 1, 2) == [FIRST, GRAY]
    controller.redo()
    actions.merge(2, 3)
    assert colors(labels, 1, 2, 3) == [FIRST, GRAY, SECOND], "3 takes the class of 2 over"
    actions.delete(1)
    assert colors(labels, 1) == [GRAY]
    controller.undo()
    controller.undo()
    assert colors(labels, 1, 2, 3) == [FIRST, SECOND, GRAY]


def test_the_users_own_colours_come_back(
    controller: Controller, labels: Labels, jobs: PatientJobs, viewer: ViewerModel
) -> None:
    own = CyclicLabelColormap(colors=[(0, 0, 0, 0), (1, 0, 0, 1), (0, 1, 0, 1)])
    labels.colormap = own
    controller.labels.classify(1, "nucleus")
    assert labels.colormap is own
    controller.class_colors.switch(True)
    jobs.streams[2].work()
    assert isinstance(labels.colormap, DirectLabelColormap)
    controller.class_colors.switch(False)
    np.testing.assert_array_equal(labels.colormap.colors, own.colors)
    controller.class_colors.switch(True)
    other = viewer.add_labels(np.zeros_like(labels.data))
    controller.labels.set_target(other)
    np.testing.assert_array_equal(labels.colormap.colors, own.colors)
    assert isinstance(other.colormap, DirectLabelColormap)
    controller.labels.set_target(labels)
    assert colors(labels, 1) == [FIRST]
    controller.close()
    np.testing.assert_array_equal(labels.colormap.colors, own.colors)


@pytest.mark.usefixtures("by_class")
def test_colours_that_the_user_gives_meanwhile_stay(controller: Controller, labels: Labels) -> None:
    told: list[bool] = []
    controller.class_colors.changed.connect(lambda: told.append(controller.class_colors.on))
    own = CyclicLabelColormap(colors=[(0, 0, 0, 0), (1, 0, 0, 1)])
    labels.colormap = own
    assert told == [False]
    controller.labels.classify(1, "nucleus")
    assert labels.colormap is own


@pytest.mark.usefixtures("by_class")
def test_labels_that_are_yet_to_be_made_and_those_that_are_gone(
    controller: Controller, viewer: ViewerModel, labels: Labels
) -> None:
    viewer.layers.remove(labels)
    assert isinstance(labels.colormap, CyclicLabelColormap)
    target = controller.labels.ready()
    assert target is not None
    assert isinstance(target.layer.colormap, DirectLabelColormap)
