"""The error that readers and writers raise."""

from __future__ import annotations


class VolumeError(ValueError):
    """A file cannot be read or written; the message is one sentence for the user."""
