"""The error that readers and writers raise, and the warning they give."""

from __future__ import annotations

import warnings


class VolumeError(ValueError):
    """A file cannot be read or written; the message is one sentence for the user."""


class VolumeWarning(UserWarning):
    """A file was read, but not all of it is as it should be; one sentence for the user."""


# A file that is opened again is still as it was: say so each time.
warnings.simplefilter("always", VolumeWarning)
