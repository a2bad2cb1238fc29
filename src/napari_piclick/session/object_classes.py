"""The classes of objects: their names and colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Colours that people with any colour vision tell apart (Okabe and Ito), and are seen on gray.
COLORS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")


class ObjectClasses:
    """Names of classes, each with a colour; a new name gets the next one."""

    def __init__(self, colors: Mapping[str, str] | None = None) -> None:
        self._colors = dict(colors or {})

    def __iter__(self) -> Iterator[str]:
        return iter(self._colors)

    def __len__(self) -> int:
        return len(self._colors)

    def color(self, name: str) -> str | None:
        """The colour of a class as "#rrggbb"; None for no class."""
        return self._colors.get(name)

    def add(self, name: str, color: str | None = None) -> None:
        """Take a class, or give it another colour."""
        if color is not None:
            self._colors[name] = color
        elif name and name not in self._colors:
            self._colors[name] = COLORS[len(self._colors) % len(COLORS)]

    def as_dict(self) -> dict[str, str]:
        """Names and colours."""
        return dict(self._colors)
