"""The chosen file: what a dialog that asks where to save gives, with the ending it needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_piclick.io.errors import VolumeError

if TYPE_CHECKING:
    from collections.abc import Sequence


def chosen_file(path: str, ending: str, known: Sequence[str] = ()) -> Path:
    """The file to write, with the ending of the chosen file type if its name has none.

    Not every file dialog adds the ending, and napari offers the bare name of a layer. Nobody was
    asked then whether a file that has it may be replaced, so that it is not.

    Parameters
    ----------
    path : str
        As the dialog gives it.
    ending : str
    known : sequence of str
        Other endings that say how to write.

    Raises
    ------
    VolumeError
        If the ending was added and there is such a file.
    """
    file = Path(path)
    if file.name.lower().endswith((ending, *known)):
        return file
    file = file.with_name(file.name + ending)
    if file.exists():
        raise VolumeError(
            f"{file.name} is there already: choose another name, or type this one with its ending "
            "to replace it."
        )
    return file
