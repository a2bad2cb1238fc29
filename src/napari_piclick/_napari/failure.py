"""What went wrong in a worker, in a sentence for the user."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import TypeVar

    Step = TypeVar("Step")
    Result = TypeVar("Result")

#: What a user can do something about; its own words are meant for the user.
USERS_BUSINESS = (ValueError, OSError, MemoryError)
#: How torch and the system say, in errors of many types, that memory has run out.
MEMORY_WORDS = ("out of memory", "not enough memory", "allocate memory")
NO_MEMORY = "There is not enough memory: close other images, or crop this one."
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """What went wrong in a worker, in a sentence for the user."""

    sentence: str


def guarded(
    work: Callable[[], Generator[Step, None, Result]],
) -> Generator[Step, None, Result | Failure]:
    """Do the work of a worker thread; whatever goes wrong there comes back as a `Failure`.

    Nothing may be raised out of a worker. It takes a RuntimeError, which is what torch raises for
    most things, for the death of its own thread, and then does not even tell that it has ended.

    Parameters
    ----------
    work : callable
        Makes the generator, in the worker.
    """
    try:
        return (yield from work())
    except Exception as error:
        expected = _short_of_memory(error) or isinstance(error, USERS_BUSINESS)
        # a mistake of ours is to be seen in the terminal as well
        _LOG.log(logging.INFO if expected else logging.ERROR, "Work broke off", exc_info=True)
        return Failure(sentence_about(error))


def sentence_about(error: Exception) -> str:
    """The sentence to be shown for an error, whatever it is."""
    if _short_of_memory(error):
        return NO_MEMORY
    words = str(error)
    if words and isinstance(error, USERS_BUSINESS):
        return words
    # what torch says goes on for lines about its own settings
    first = words.partition("\n")[0].rstrip(". ")
    what = ": ".join(filter(None, (type(error).__name__, first)))
    return f"PiClick could not do that ({what})."


def _short_of_memory(error: Exception) -> bool:
    words = str(error).lower()
    return isinstance(error, MemoryError) or any(part in words for part in MEMORY_WORDS)
