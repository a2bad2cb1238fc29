"""What went wrong in a worker, in a sentence for the user."""

from __future__ import annotations

#: What a user can do something about; anything else is a mistake of ours and is to be seen.
USERS_BUSINESS = (MemoryError, ValueError, OSError)


def sentence_about(error: Exception) -> str:
    """The sentence to be shown for one of `USERS_BUSINESS`."""
    if isinstance(error, MemoryError):
        return "There is not enough memory: close other images, or crop this one."
    return str(error)
