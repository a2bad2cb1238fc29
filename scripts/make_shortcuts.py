"""Write docs/shortcuts.md from the table of shortcuts."""

from __future__ import annotations

from pathlib import Path

from napari_piclick._napari.keys import as_markdown

PAGE = Path(__file__).parents[1] / "docs" / "shortcuts.md"

if __name__ == "__main__":
    PAGE.write_text(as_markdown(), encoding="utf-8")
