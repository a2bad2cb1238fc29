from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.layers import Image, Labels, Points
from napari.utils.shortcuts import default_shortcuts

from napari_piclick._napari import keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_piclick._napari.controller import Controller

PAGE = Path(__file__).parents[2] / "docs" / "shortcuts.md"


def spelled(key: str) -> str:
    """A key of ours as napari's table of shortcuts spells it."""
    return key.replace("Control-", "Ctrl+").replace("Shift-", "Shift+")


def napari_keys(*words: str) -> set[str]:
    """The keys of those of napari's actions whose names have none of other kinds of layers."""
    kinds = {"labels", "points", "shape", "vectors", "tracks", "surface", "image", "plane"}
    kinds |= {"polygon", "brush", "label", "vertex", "rectangle", "ellipse", "line", "path"}
    mine = kinds - set(words)
    return {
        str(key)
        for name, bound in default_shortcuts.items()
        if not any(kind in name for kind in mine)
        for key in bound
    }


@pytest.fixture
def controller(viewer: ViewerModel, open_controller: Callable[[], Controller]) -> Controller:
    viewer.add_image(np.zeros((3, 20, 20), np.uint8))
    controller = open_controller()
    yield controller
    controller.close()


def test_what_counts_everywhere_is_none_of_naparis() -> None:
    taken = {str(key) for bound in default_shortcuts.values() for key in bound}
    assert "Ctrl+R" in taken  # spelled as ours are
    assert taken.isdisjoint(spelled(shortcut.key) for shortcut in keys.EVERYWHERE)


def test_on_the_layer_of_clicks_only_keys_for_modes_are_taken() -> None:
    taken = napari_keys("points")
    assert {"Ctrl+R", "1", "2"} <= taken
    both = taken & {spelled(shortcut.key) for shortcut in keys.SHORTCUTS}
    assert both <= set("1234567")
    assert not any(
        str(key) in both
        for name, bound in default_shortcuts.items()
        if "points" not in name and name in ("napari:reset_view", "napari:hold_for_pan_zoom")
        for key in bound
    )


@pytest.mark.parametrize("kind", [Image, Labels, Points])
def test_classes_of_layers_keep_their_keys(kind: type, controller: Controller) -> None:
    ours = {spelled(shortcut.key) for shortcut in keys.EVERYWHERE}
    bound = {str(key) for key in kind.class_keymap}
    # undo and redo of labels are ours only on the layer that takes the objects
    assert bound & ours <= ({"Ctrl+Z", "Ctrl+Shift+Z"} if kind is Labels else set())


def test_every_key_is_bound_once() -> None:
    assert len({shortcut.key for shortcut in keys.SHORTCUTS}) == len(keys.SHORTCUTS)


def test_the_page_of_shortcuts_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == keys.as_markdown()


def test_undo_is_bound_to_the_viewer_and_the_target_and_given_back(
    viewer: ViewerModel, controller: Controller, blocks: np.ndarray
) -> None:
    mine = viewer.add_labels(np.zeros((3, 20, 20), np.uint8))
    controller.labels.set_target(mine)
    for keymap in (viewer.keymap, mine.keymap):
        assert {"Ctrl+Z", "Ctrl+Shift+Z", "G"} <= {str(key) for key in keymap}
    controller.labels.set_target(None)
    assert not mine.keymap
    controller.close()
    assert "Ctrl+Z" not in {str(key) for key in viewer.keymap}
