"""The journal: a record in a file, from which a run that was killed goes on."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from napari_piclick.eval.object_result import ImageDone, ObjectResult

if TYPE_CHECKING:
    from pathlib import Path

#: Which values a result's line has; a journal of another format is not gone on from.
FORMAT = 3


class JournalError(ValueError):
    """A journal cannot be used; the message is one sentence for the user."""


class Journal:
    """Results written to a file line by line, as they come in.

    Only where each line begins is kept in memory. A line that was cut off by a kill is dropped
    when the file is opened again, and its object done again.

    Parameters
    ----------
    path : path
        The file (JSON lines); it is made if it is not there.
    run : dict
        What tells this run from others: the first line of the file.

    Raises
    ------
    JournalError
        If the file belongs to another run, or is none of ours.
    OSError
        If it cannot be written.

    Attributes
    ----------
    images : dict
        Names of the images that something is kept of, by number.
    """

    def __init__(self, path: Path, run: dict[str, Any]) -> None:
        self.path = path
        self.finished: set[int] = set()
        self.encoding_seconds = 0.0
        self._places: dict[tuple[int, int], int] = {}
        self._done: dict[int, set[int]] = defaultdict(set)
        self.images: dict[int, str] = {}
        # Plain values, as they will be when read back.
        self._run = json.loads(json.dumps({"format": FORMAT, **run}))
        self._file = path.open("a+b")
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def objects(self) -> Sequence[ObjectResult]:
        """All results, in the order of the dataset, read from the file when asked for."""
        places = [self._places[position] for position in sorted(self._places)]
        return JournalObjects(self.path, places)

    def done(self, image: int) -> frozenset[int]:
        """Numbers of the objects of an image that are done."""
        return frozenset(self._done.get(image, ()))

    def add(self, result: ObjectResult) -> None:
        """Write the result of an object."""
        if result.position not in self._places:
            place = self._write({"result": result.to_dict()})
            self._note(result.position, result.image, place)

    def finish(self, image: ImageDone) -> None:
        """Write that an image is done."""
        if image.number not in self.finished:
            entry = {"finished": image.number, "image": image.image}
            self._write({**entry, "encoding_seconds": image.encoding_seconds})
            self._finish(image.number, image.image, image.encoding_seconds)

    def close(self) -> None:
        """Close the file; it stays where it is."""
        self._file.close()

    def remove(self) -> None:
        """Close the file and delete it, as nobody needs it any more."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _note(self, position: tuple[int, int], name: str, place: int) -> None:
        self._places[position] = place
        self.images[position[0]] = name
        self._done[position[0]].add(position[1])

    def _finish(self, image: int, name: str, encoding_seconds: float) -> None:
        self.finished.add(image)
        self.images[image] = name
        self._done.pop(image, None)
        self.encoding_seconds += encoding_seconds

    def _write(self, entry: dict[str, Any]) -> int:
        """Append a line and give the place where it begins."""
        place = self._file.seek(0, 2)
        self._file.write((json.dumps(entry) + "\n").encode())
        self._file.flush()
        return place

    def _read(self) -> None:
        self._file.seek(0)
        place = 0
        for line in self._file:
            try:
                entry = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                entry = None
            if not isinstance(entry, dict):
                break
            if place == 0:
                self._check(entry.get("run"))
            elif "result" in entry:
                image, number = entry["result"]["position"]
                self._note((image, number), entry["result"]["image"], place)
            else:
                self._finish(entry["finished"], entry["image"], entry["encoding_seconds"])
            place += len(line)
        if place == 0 and self._file.seek(0, 2) > 0:
            # Nothing of it can be read: only a first line cut short may be written over.
            self._file.seek(0)
            if not self._first_line().startswith(self._file.read(4096)):
                raise JournalError(
                    f"{self.path} is not the journal of an evaluation; name another output."
                )
        self._file.truncate(place)
        if place == 0:
            self._file.write(self._first_line())
            self._file.flush()

    def _first_line(self) -> bytes:
        return (json.dumps({"run": self._run}) + "\n").encode()

    def _check(self, run: object) -> None:
        if run == self._run:
            return
        if not isinstance(run, dict):
            raise JournalError(
                f"{self.path} is not the journal of an evaluation; name another output."
            )
        differing = [key for key in self._run if run.get(key) != self._run[key]] or list(run)
        raise JournalError(
            f"{self.path} belongs to a run with {differing[0]} {run.get(differing[0])!r}, not "
            f"{self._run.get(differing[0])!r}; go on with that run, name another output, or delete "
            "the file."
        )


class JournalObjects(Sequence[ObjectResult]):
    """Results in a journal, each read from the file when it is asked for.

    Parameters
    ----------
    path : the journal.
    places : where each result's line begins, in bytes.
    """

    def __init__(self, path: Path, places: list[int]) -> None:
        self._path = path
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> ObjectResult: ...
    @overload
    def __getitem__(self, index: slice) -> JournalObjects: ...
    def __getitem__(self, index: int | slice) -> ObjectResult | JournalObjects:
        if isinstance(index, slice):
            return JournalObjects(self._path, self._places[index])
        (result,) = JournalObjects(self._path, [self._places[index]])
        return result

    def __iter__(self) -> Iterator[ObjectResult]:
        with self._path.open("rb") as file:
            for place in self._places:
                file.seek(place)
                yield ObjectResult.from_dict(json.loads(file.readline())["result"])
