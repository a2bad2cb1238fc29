"""The codec: planes, clicks, masks and edits as JSON, and back.

Masks and edits are packed small: bits or runs, compressed, in base64. What is read is data, never
code, and what does not fit is a `ValueError`.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick.clicks import Click
from napari_piclick.plane import Plane
from napari_piclick.session.place import Place
from napari_piclick.session.record import Making, Record, cropped

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_piclick.session.label_edit import LabelEdit

#: No packed array may become larger than this, in bytes, so that no file can fill the memory.
LARGEST = 2**33


def as_json(content: Any, *, indent: int | None = None) -> str:
    """Content as JSON: on one line, or indented. Numbers may be NumPy's."""
    separators = (",", ":") if indent is None else None
    return json.dumps(content, indent=indent, separators=separators, default=_plain)


def plane_to_json(place: Hashable) -> dict[str, Any]:
    """A plane of the image that a file is about, or a name for it."""
    if isinstance(place, Place):
        plane = place.plane
        return {"shape": plane.volume_shape, "displayed": plane.displayed, "index": plane.index}
    return {"name": str(place)}


def plane_from_json(content: dict[str, Any], image: Hashable, *, rgb: bool = False) -> Hashable:
    """The plane of an image; see `plane_to_json`."""
    if "name" in content:
        return str(content["name"])
    shape, (rows, cols), index = content["shape"], content["displayed"], content["index"]
    plane = Plane(tuple(map(int, shape)), (int(rows), int(cols)), tuple(map(int, index)), rgb)
    return Place(image, plane)


def clicks_to_json(clicks: tuple[Click, ...]) -> list[dict[str, Any]]:
    """Clicks, in plane coordinates."""
    return [{"row": c.row, "col": c.col, "positive": c.positive} for c in clicks]


def clicks_from_json(content: list[dict[str, Any]]) -> tuple[Click, ...]:
    """Clicks; see `clicks_to_json`."""
    return tuple(Click(float(c["row"]), float(c["col"]), bool(c["positive"])) for c in content)


def mask_to_json(mask: np.ndarray | None) -> dict[str, Any] | None:
    """A bool array: its shape, and its bits in C order, packed, compressed, in base64."""
    if mask is None:
        return None
    return {"shape": mask.shape, "bits": _pack(np.packbits(mask.astype(bool)))}


def mask_from_json(content: dict[str, Any] | None) -> np.ndarray | None:
    """A bool array; see `mask_to_json`."""
    if content is None:
        return None
    shape = tuple(map(int, content["shape"]))
    count = int(np.prod(shape, dtype=np.int64))
    bits = _unpack(content["bits"], np.uint8, (count + 7) // 8)
    return np.unpackbits(bits, count=count).astype(bool).reshape(shape)


def record_to_json(record: Record) -> dict[str, Any]:
    """What is known about an object."""
    return {
        "class": record.kind,
        "made": [
            {
                "plane": plane_to_json(place),
                "clicks": clicks_to_json(making.clicks),
                "choices": making.choices,
                "start": mask_to_json(making.start),
                "model": making.model,
                "weights_sha256": making.weights_hash,
                "predicted_iou": making.iou,
                "confidence": making.confidence,
            }
            for place, making in record.makings.items()
        ],
    }


def record_from_json(content: dict[str, Any], image: Hashable, *, rgb: bool = False) -> Record:
    """What is known about an object; see `record_to_json`."""
    makings = {}
    for made in content["made"]:
        place = plane_from_json(made["plane"], image, rgb=rgb)
        makings[place] = Making(
            clicks_from_json(made["clicks"]),
            tuple((int(after), int(index)) for after, index in made["choices"]),
            cropped(mask_from_json(made["start"])),
            str(made["model"]),
            str(made["weights_sha256"]),
            float(made["predicted_iou"]),
            float(made["confidence"]),
        )
    return Record(str(content["class"]), makings)


def edit_to_json(edit: LabelEdit) -> dict[str, Any]:
    """What an edit leaves: runs of voxels in C order, and the values they hold now."""
    index = edit.index.astype(np.int64)
    first = np.flatnonzero(np.diff(index, prepend=-2) != 1)
    lengths = np.diff(first, append=len(index))
    starts = np.diff(index[first], prepend=0)
    one = len(edit) > 0 and bool((edit.after == edit.after[0]).all())
    return {
        "shape": edit.shape,
        "voxels": len(edit),
        "runs": len(first),
        "starts": _pack(starts),
        "lengths": _pack(lengths.astype(np.int64)),
        "dtype": edit.after.dtype.name,
        "values": int(edit.after[0]) if one else _pack(edit.after),
    }


def edit_from_json(content: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The voxels, (N,) int64 in C order, and their values, (N,); see `edit_to_json`."""
    count, runs = int(content["voxels"]), int(content["runs"])
    size = int(np.prod(content["shape"], dtype=np.int64))
    starts = np.cumsum(_unpack(content["starts"], np.int64, runs))
    lengths = _unpack(content["lengths"], np.int64, runs)
    if count > size or lengths.sum() != count or (lengths < 1).any():
        raise ValueError("The runs of an edit do not fit its labels.")
    offsets = np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
    index = offsets + np.arange(count)
    if count and (index.min() < 0 or index.max() >= size):
        raise ValueError("An edit lies outside its labels.")
    dtype = np.dtype(str(content["dtype"]))
    if dtype.kind not in "ui":
        raise ValueError("Labels are integers.")
    values = content["values"]
    if isinstance(values, int):
        return index, np.full(count, values, dtype)
    return index, _unpack(values, dtype, count)


def _plain(value: Any) -> Any:
    """What Python has for a value that JSON does not know."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON.")


def _pack(array: np.ndarray) -> str:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return base64.b64encode(zlib.compress(little.tobytes(), 1)).decode("ascii")


def _unpack(text: str, dtype: Any, count: int) -> np.ndarray:
    dtype = np.dtype(dtype)
    size = count * dtype.itemsize
    if size > LARGEST:
        raise ValueError("A packed array is too large.")
    unzip = zlib.decompressobj()
    try:
        data = unzip.decompress(base64.b64decode(text, validate=True), size + 1)
    except zlib.error as error:
        raise ValueError("A packed array is damaged.") from error
    if len(data) != size:
        raise ValueError("A packed array has another length than it should.")
    return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype)
