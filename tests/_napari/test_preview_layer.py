from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel

from napari_piclick._napari.preview_layer import ROOM, PreviewLayer
from napari_piclick._napari.view import plane_in_view
from napari_piclick.proposals import Proposals
from napari_piclick.region import Region
from napari_piclick.session.preview_picture import picture

SHAPE = (4, 20, 30)


@settings(max_examples=40, deadline=None)
@given(
    st.permutations(range(3)),
    st.lists(st.sampled_from([-2.0, 0.5, 1.0, 30.0]), min_size=3, max_size=3),
    st.lists(st.sampled_from([0.5, 1.0, 4.0]), min_size=3, max_size=3),
    st.data(),
)
def test_it_covers_exactly_the_pixels_of_the_mask(
    order: list[int], diagonal: list[float], scale: list[float], data: st.DataObject
) -> None:
    viewer = ViewerModel()
    image = viewer.add_image(
        np.zeros(SHAPE), affine=np.diag([*diagonal, 1]), scale=scale, translate=(7, -8, 9)
    )
    viewer.dims.order = order
    place = tuple(data.draw(st.integers(0, n - 1)) for n in SHAPE)
    viewer.dims.set_point(range(3), image.data_to_world(place))
    plane = plane_in_view(image, viewer.dims)
    row, col = (place[axis] for axis in plane.displayed)
    region = Region(row, min(row + 3, plane.shape[0]), col, min(col + 2, plane.shape[1]))
    mask = np.ones(region.shape, bool)
    mask[0, -1] = len(mask) == 1

    preview = PreviewLayer(image)
    viewer.add_layer(preview.layer)
    before = viewer.dims.range
    preview.draw(plane, region, mask)
    assert viewer.dims.range == before, "the preview must not change the sliders"
    for r in range(plane.shape[0]):
        for c in (col - 1, col, col + 1, col + 2):
            if 0 <= c < plane.shape[1]:
                voxel = plane.to_volume((r, c))
                shown = preview.layer.get_value(image.data_to_world(voxel), world=True)
                inside = region.contains(r, c) and mask[r - region.row0, c - region.col0]
                assert bool(shown) == bool(inside)


def test_it_stays_small_on_a_large_image() -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.broadcast_to(np.zeros(1, np.uint8), (4, 5000, 5000)))
    preview = PreviewLayer(image)
    viewer.add_layer(preview.layer)
    plane = plane_in_view(image, viewer.dims)
    preview.draw(plane, Region(4000, 4010, 10, 20), np.ones((10, 10), bool))
    assert preview.layer.data.size <= (10 + ROOM) ** 2
    before = preview.layer.data
    preview.draw(plane, Region(4005, 4030, 12, 40), np.ones((25, 28), bool))
    assert preview.layer.data is before, "what comes next costs no change of size"
    assert np.count_nonzero(before) == 25 * 28
    assert preview.layer.get_value((0, 4005, 15), world=True) == 1


def test_what_a_click_would_give_lies_beside_the_chosen_proposal() -> None:
    def proposals(region: Region, mask: np.ndarray) -> Proposals:
        scores = np.ones(1, np.float32)
        return Proposals(mask[None].astype(np.float32), region, (40, 50), scores, scores)

    chosen = proposals(Region(5, 15, 5, 15), np.ones((10, 10), bool))
    square = np.pad(np.ones((8, 8), bool), 1)
    foreseen = proposals(Region(10, 20, 12, 22), square)
    region, values = picture(chosen, foreseen, 1)
    assert region == Region(5, 20, 5, 22)
    whole = region.paste(values, (40, 50))
    outline = np.zeros((40, 50), bool)
    outline[11:19, 13:21] = True
    outline[12:18, 14:20] = False
    np.testing.assert_array_equal(whole == 3, outline)
    assert (whole[5:11, 5:15] == 1).all()
    assert whole[16, 18] == 2
    assert whole[13, 14] == 1, "what is chosen stays as it was inside the outline"
    assert not whole[30:].any()
    region, values = picture(None, foreseen, 2)
    assert region == foreseen.region
    assert set(np.unique(values)) == {0, 2, 3}
    _, values = picture(chosen, None)
    np.testing.assert_array_equal(values, np.ones((10, 10), np.uint8))


@pytest.mark.parametrize("displayed", [(0, 1, 2), (0, 2, 1)])
def test_another_mask_takes_the_place_of_the_last(displayed: tuple[int, ...]) -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros(SHAPE))
    viewer.dims.order = displayed
    preview = PreviewLayer(image)
    viewer.add_layer(preview.layer)
    resized: list[int] = []
    plane = plane_in_view(image, viewer.dims)
    preview.draw(plane, Region(2, 5, 3, 7), np.ones((3, 4), bool))
    preview.layer.events.data.connect(lambda: resized.append(1))
    preview.draw(plane, Region(8, 9, 0, 2), np.ones((1, 2), bool))
    assert preview.layer.data.sum() == 2
    assert preview.layer.get_value(plane.to_volume((8, 1)), world=True) == 1
    assert preview.layer.get_value(plane.to_volume((3, 4)), world=True) == 0
    preview.clear()
    assert preview.layer.data.sum() == 0
    assert resized == [], "napari would go through all layers and sliders"


def test_it_cannot_be_painted_on() -> None:
    viewer = ViewerModel()
    preview = PreviewLayer(viewer.add_image(np.zeros(SHAPE)))
    viewer.add_layer(preview.layer)
    assert not preview.layer.editable
    plane = plane_in_view(viewer.layers[0], viewer.dims)
    for region in (Region(2, 5, 3, 7), Region(3, 4, 1, 2)):
        preview.draw(plane, region, np.ones(region.shape, np.uint8))
        assert not preview.layer.editable
    preview.clear()
    viewer.dims.order = (1, 0, 2)
    preview.draw(plane_in_view(viewer.layers[0], viewer.dims), region, np.ones((1, 1), np.uint8))
    assert not preview.layer.editable
    preview.layer.mode = "paint"
    assert preview.layer.mode == "pan_zoom"


@pytest.mark.parametrize("name", ["scale", "translate"])
def test_it_follows_the_image(name: str) -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros(SHAPE))
    preview = PreviewLayer(image)
    setattr(image, name, (2, 3, 4))
    preview.place()
    np.testing.assert_allclose(
        preview.layer.data_to_world((1, 1, 1)), image.data_to_world((1, 1, 1))
    )
