"""Preferences: kept by napari, and counting at once."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from napari.settings import get_plugin_settings, get_settings
from pydantic import ValidationError
from qtpy.QtCore import Qt

if TYPE_CHECKING:
    from tests.gui.conftest import Desk


def test_opacity_and_pick_rule_count_at_once(desk: Desk, settings: Any) -> None:
    desk.click(5, 10, 10)
    desk.answered()
    settings.labelling.preview_opacity = 0.8
    assert desk.viewer.layers["PiClick preview"].opacity == pytest.approx(0.8)
    settings.labelling.pick_rule = "largest"
    desk.click(5, 11, 11)
    desk.answered()
    session = desk.controller.session
    areas = [session.proposals.mask(k).sum() for k in range(7)]
    near = session.proposals.score >= 0.8 * session.proposals.score.max()
    assert session.proposals.chosen == max((k for k in range(7) if near[k]), key=areas.__getitem__)
    assert "chosen by the model" in desk.panel._heading.text()


def test_the_device_is_where_the_model_is_loaded_again(
    desk: Desk, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(name: str, device: str) -> object:
        loaded.append(device)
        return desk.predictor

    monkeypatch.setattr("napari_piclick.predict.load_predictor", load)
    settings.labelling.device = "cpu"
    desk.until(lambda: loaded)
    assert loaded == ["cpu"]


def test_autosave_follows_the_preference(desk: Desk, settings: Any) -> None:
    assert desk.panel.autosave.interval() == 5 * 60_000
    settings.labelling.autosave_minutes = 2
    assert desk.panel.autosave.interval() == 2 * 60_000
    assert desk.panel.autosave.isActive()
    settings.labelling.autosave_minutes = 0
    assert not desk.panel.autosave.isActive()


def test_the_first_steps_go_away_for_good(desk: Desk, settings: Any) -> None:
    first = desk.panel._first_steps
    assert first.isVisible()
    desk.qtbot.mouseClick(first.button, Qt.MouseButton.LeftButton)
    assert not first.isVisible()
    assert "show_help: false" in settings.config_path.read_text()
    again = type(settings)(config_path=settings.config_path)
    assert again.labelling.show_help is False


def test_nonsense_is_refused(settings: Any) -> None:
    for name, value in (("device", "toaster"), ("preview_opacity", 7), ("pick_rule", "best")):
        with pytest.raises(ValidationError):
            setattr(settings.labelling, name, value)


def test_no_test_leaves_anything_among_the_users_own_settings(desk: Desk, settings: Any) -> None:
    kept = [get_settings(), get_plugin_settings("napari-piclick"), settings]
    for path in (Path(one.config_path) for one in kept):
        assert path.is_relative_to(tempfile.gettempdir())
    assert Path(os.environ["NAPARI_CONFIG"]) == Path(get_settings().config_path)
