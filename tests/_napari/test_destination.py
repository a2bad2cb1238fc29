"""Which labels take the objects of which image."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.layers import Labels

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image
    from tests._napari.conftest import PatientJobs

    from napari_piclick._napari.controller import Controller

Open = Callable[[], "Controller"]
Keep = Callable[..., None]


@pytest.fixture
def keep(jobs: PatientJobs, click: Callable[..., None], viewer: ViewerModel) -> Keep:
    def keep(controller: Controller, *voxel: float) -> None:
        image = controller.image
        viewer.dims.set_point(range(image.ndim), image.data_to_world(voxel))
        controller.start()
        click(*voxel, layer=image)
        jobs.work()
        controller.accept()

    return keep


def labels_in(viewer: ViewerModel) -> list[Labels]:
    return [x for x in viewer.layers if isinstance(x, Labels) and x.name != "PiClick preview"]


def lie_alike(one: Labels, other: Image) -> bool:
    corners = np.vstack([np.zeros(one.ndim), np.eye(one.ndim)])
    return all(np.allclose(one.data_to_world(x), other.data_to_world(x)) for x in corners)


def test_an_object_of_another_tile_does_not_land_on_the_first(
    viewer: ViewerModel, open_controller: Open, blocks: np.ndarray, keep: Keep
) -> None:
    tiles = [viewer.add_image(blocks, name=f"tile {k}", translate=(0, 0, 50 * k)) for k in range(2)]
    controller = open_controller()
    for tile in (*tiles, *tiles):
        controller.set_image(tile)
        keep(controller, 5, 10, 10)
        assert lie_alike(controller.target, tile)
    assert len(labels_in(viewer)) == 2
    controller.close()


def test_an_image_that_is_come_back_to_has_its_labels_and_their_ids(
    viewer: ViewerModel, open_controller: Open, blocks: np.ndarray, keep: Keep
) -> None:
    first = viewer.add_image(blocks, name="first")
    other = viewer.add_image(blocks[:, :30], name="other")
    controller = open_controller()
    controller.set_image(first)
    keep(controller, 5, 10, 10)
    controller.set_image(other)
    assert controller.target is None
    controller.set_image(first)
    assert controller.session.objects.records[1].clicks == 1
    keep(controller, 5, 30, 12)
    (labels,) = labels_in(viewer)
    assert np.unique(labels.data).tolist() == [0, 1, 2]
    controller.set_image(other)
    keep(controller, 5, 10, 10)
    controller.set_image(first)
    assert controller.target == labels
    viewer.layers.remove(labels)
    controller.set_image(other)
    controller.set_image(first)
    assert controller.target is None, "labels that were deleted are not taken again"
    controller.close()


def test_channels_that_lie_on_each_other_share_labels(
    viewer: ViewerModel, open_controller: Open, blocks: np.ndarray, keep: Keep
) -> None:
    how = {"scale": (2, 0.5, 0.5), "translate": (1e4, 3e4, -2e4)}
    channels = viewer.add_image(
        np.stack([blocks, blocks[:, ::-1]]), channel_axis=0, name=["red", "green"], **how
    )
    controller = open_controller()
    for channel in channels:
        controller.set_image(channel)
        keep(controller, 5, 10, 10 if channel.name == "red" else 35)
    assert len(labels_in(viewer)) == 1
    controller.close()


def test_what_the_user_chose_stays_chosen_wherever_it_lies(
    viewer: ViewerModel, open_controller: Open, blocks: np.ndarray, keep: Keep
) -> None:
    image = viewer.add_image(blocks, name="image", scale=(2, 0.5, 0.5))
    other = viewer.add_image(blocks[:5], name="other")
    mine = viewer.add_labels(np.zeros(blocks.shape, np.uint8), name="mine")
    controller = open_controller()
    controller.set_image(image)
    controller.labels.set_target(mine)
    controller.set_image(other)
    controller.set_image(image)
    assert controller.target == mine
    controller.labels.set_target(None)
    controller.set_image(other)
    controller.set_image(image)
    assert controller.target is None, "a new layer was wanted"
    controller.close()


def test_an_image_that_is_given_another_shape_lets_its_labels_go(
    viewer: ViewerModel, open_controller: Open, blocks: np.ndarray, keep: Keep
) -> None:
    image = viewer.add_image(blocks, name="image")
    controller = open_controller()
    keep(controller, 5, 10, 10)
    image.data = blocks[:, :20]
    keep(controller, 5, 10, 10)
    assert [labels.data.shape for labels in labels_in(viewer)] == [(12, 20, 50), (12, 40, 50)]
    controller.close()
