"""The preferences: what the user set in napari's own dialog, which keeps it from day to day."""

from __future__ import annotations

from typing import Any

from napari.settings import get_plugin_settings
from psygnal import Signal

from napari_piclick.session.engine import EngineOptions

PLUGIN = "napari-piclick"
MEGABYTE = 2**20


def find_settings() -> Any:
    """What napari keeps under the manifest's ``configurations.labelling``; evented."""
    return get_plugin_settings(PLUGIN).labelling


class Preferences:
    """Reads the preferences, and tells when one of them changes.

    Attributes
    ----------
    options : EngineOptions
        Those that the engine reads; kept up to date in place.
    changed : psygnal.Signal
        Emitted with the name of a preference after it was changed.
    """

    changed = Signal(str)

    def __init__(self) -> None:
        self._settings = find_settings()
        self.options = EngineOptions()
        self._closed = False
        self._read()
        self._settings.events.connect(self._on_changed)

    @property
    def preview_opacity(self) -> float:
        """Opacity of the preview, 0 to 1."""
        return float(self._settings.preview_opacity)

    @property
    def autosave_minutes(self) -> float:
        """How often labels and prompts are saved beside the image; 0 for never."""
        return float(self._settings.autosave_minutes)

    @property
    def show_help(self) -> bool:
        """Whether the panel shows what to do first."""
        return bool(self._settings.show_help)

    @show_help.setter
    def show_help(self, show: bool) -> None:
        self._settings.show_help = show

    @property
    def live_preview(self) -> bool:
        """Whether what a click would give shows under the moving mouse."""
        return bool(self._settings.live_preview)

    @live_preview.setter
    def live_preview(self, on: bool) -> None:
        self._settings.live_preview = on

    def close(self) -> None:
        """Stop listening."""
        if not self._closed:
            self._closed = True
            self._settings.events.disconnect(self._on_changed)

    def _read(self) -> None:
        self.options.device = str(self._settings.device)
        self.options.pick_rule = self._settings.pick_rule
        self.options.cache_bytes = int(self._settings.cache_megabytes) * MEGABYTE

    def _on_changed(self, event: Any) -> None:
        self._read()
        self.changed.emit(str(event.type))
