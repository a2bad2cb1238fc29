"""The store: what is kept, what is refused, and the command for both."""

# ruff: noqa: ARG005

from __future__ import annotations

import collections
import os
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
from safetensors.torch import load_file

from napari_piclick.models.authors_checkpoint import _EasyDict, _unpickle
from napari_piclick.models.published_checkpoint import load_piclick
from napari_piclick.models.registry import MODELS, sha256
from napari_piclick.weights import store
from napari_piclick.weights.__main__ import main
from napari_piclick.weights.catalogue import Entry, read_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Hostile:
    """Would write a file if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"echo pwned > '{self.path}'",)


def original(micro_file: Path) -> dict[str, Any]:
    content: dict[str, Any] = _unpickle(micro_file, [_EasyDict])
    return content


def without(content: dict[str, Any], name: str) -> dict[str, Any]:
    state = collections.OrderedDict(content["state_dict"])
    del state[name]
    return {**content, "state_dict": state}


def with_tensor(content: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    return {**content, "state_dict": {**content["state_dict"], name: value}}


def test_a_checkpoint_is_converted_once_and_stays_exact(folder: Path, micro_file: Path) -> None:
    model = store.find(micro_file)
    assert model is not None
    assert model.source_sha256 == sha256(micro_file)
    assert sorted(p.name for p in folder.iterdir()) == [
        "piclick_micro_random.safetensors",
        "piclick_micro_random.sha256",
    ]
    state = original(micro_file)["state_dict"]
    kept = load_file(model.path)
    assert kept.keys() == state.keys()
    assert all(torch.equal(kept[name], state[name]) for name in kept)
    written = model.path.stat().st_mtime_ns
    assert store.find(micro_file) == store.find("piclick_micro_random") == model
    assert model.path.stat().st_mtime_ns == written
    assert store.verify(model) == ""
    assert load_piclick(model.path).config.width == 32


def test_two_checkpoints_of_one_file_name_do_not_meet(
    folder: Path, micro_file: Path, tmp_path: Path
) -> None:
    content = original(micro_file)
    first = store.find(micro_file)
    other = tmp_path / "elsewhere" / micro_file.name
    other.parent.mkdir()
    changed = with_tensor(content, "head.cls_embed.bias", torch.zeros(2))
    torch.save(changed, other)
    second = store.find(other)
    assert first is not None
    assert second is not None
    assert first.path != second.path
    assert store.find(micro_file) == first


def test_a_checkpoint_of_the_catalogue_does_not_take_a_name_that_is_taken(
    folder: Path, micro_file: Path, tmp_path: Path
) -> None:
    tuned = store.add(MODELS["piclick-tiny"].weights, "piclick-base448")
    kept = sha256(tuned.path)
    authors = tmp_path / "piclick_base448.pth"
    authors.write_bytes(micro_file.read_bytes())
    model = store.find(authors)
    assert model is not None
    assert model.name == f"piclick-base448-{sha256(authors)[:8]}"
    assert sha256(tuned.path) == kept


def test_a_model_that_was_added_is_not_lost_to_another_of_its_name(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = MODELS["piclick-tiny"].weights
    for place, added in (("one", 0.0), ("other", 1.0)):
        (tmp_path / place).mkdir()
        with safe_open(weights, "np") as file:
            tensors = {name: file.get_tensor(name) + added for name in file.keys()}  # noqa: SIM118
            save_file(tensors, tmp_path / place / "mine.safetensors", file.metadata())
    assert main(["add", str(tmp_path / "one" / "mine.safetensors")]) == 0
    kept = sha256(folder / "mine.safetensors")
    assert main(["add", str(tmp_path / "other" / "mine.safetensors")]) == 2
    said = capsys.readouterr().err
    assert "There is another model mine already" in said
    assert said.count("\n") == 1
    assert sha256(folder / "mine.safetensors") == kept
    # The same one again is no other.
    assert main(["add", str(tmp_path / "one" / "mine.safetensors")]) == 0
    assert main(["add", str(tmp_path / "other" / "mine.safetensors"), "--name", "other"]) == 0
    assert sha256(folder / "other.safetensors") != kept


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (
            lambda c, p: {**c, "config": Hostile(p)},
            r"refused: besides tensors it holds \w+\.system",
        ),
        (lambda c, p: [Hostile(p)], r"refused: besides tensors it holds \w+\.system"),
        (lambda c, p: {"x": np.zeros(2)}, r"refused: .* it holds numpy"),
        (lambda c, p: {"x": torch.nn.Linear(1, 1)}, r"holds torch\.nn\.modules\.linear\.Linear"),
        (lambda c, p: {"model": c["state_dict"]}, "is not a PiClick checkpoint"),
        (
            lambda c, p: {**c, "config": {"class": "other.SimpleClick"}},
            "a other.SimpleClick, not a",
        ),
        (lambda c, p: {**c, "config": None}, "describes no model"),
        (lambda c, p: {**c, "state_dict": 3}, "'state_dict' holds no tensors"),
        (lambda c, p: without(c, "neck.down_8.1.bias"), "tensor neck.down_8.1.bias is missing"),
        (
            lambda c, p: with_tensor(c, "head.cls_embed.bias", torch.zeros(3)),
            r"head.cls_embed.bias has shape \(3,\) instead of \(2,\)",
        ),
        (
            lambda c, p: with_tensor(c, "head.cls_embed.bias", [0.0, 0.0]),
            "head.cls_embed.bias is not a tensor",
        ),
        (lambda c, p: with_tensor(c, "extra", torch.zeros(3)), "a tensor extra that this network"),
    ],
)
@pytest.mark.parametrize("old_format", [False, True])
def test_what_is_not_a_checkpoint_is_refused_in_one_sentence(
    spoil: Callable[[dict[str, Any], Path], Any],
    sentence: str,
    old_format: bool,
    folder: Path,
    micro_file: Path,
    tmp_path: Path,
) -> None:
    bad, trace = tmp_path / "bad.pth", tmp_path / "pwned"
    content = spoil(original(micro_file), trace)
    torch.save(content, bad, _use_new_zipfile_serialization=not old_format)
    with pytest.raises(ValueError, match=sentence) as caught:
        store.add(bad)
    assert "\n" not in str(caught.value)
    assert not trace.exists()
    assert not list(folder.glob("*"))


def test_damaged_files_are_refused(folder: Path, micro_file: Path, tmp_path: Path) -> None:
    whole, trace = micro_file.read_bytes(), tmp_path / "pwned"
    bad = tmp_path / "bad.pth"
    for content in (b"", b"no weights", whole[:50], whole[: len(whole) // 2], whole[:-30]):
        bad.write_bytes(content)
        with pytest.raises(ValueError, match="is not a readable checkpoint; it may be cut short"):
            store.add(bad)
    bad.write_bytes(pickle.dumps(Hostile(trace)))
    with pytest.raises(ValueError, match=r"it holds \w+\.system"):
        store.add(bad)
    with pytest.raises(FileNotFoundError, match="neither a file nor a model"):
        store.add(tmp_path / "none.pth")
    assert not trace.exists()
    assert not list(folder.glob("*"))


def test_a_file_changed_later_is_noticed(
    folder: Path, micro_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = store.add(micro_file, "mine")
    assert main(["verify"]) == 0
    content = bytearray(model.path.read_bytes())
    content[-1] ^= 1
    model.path.write_bytes(content)
    assert main(["verify", "mine"]) == 1
    assert "has changed since it was added" in capsys.readouterr().out
    model.path.write_bytes(content[:1000])
    assert "mine" not in store.stored()


def test_authors_weights_in_the_folder_are_found_by_name(
    folder: Path, micro_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileNotFoundError, match=r"github.com/cilinyan/PiClick.*model panel"):
        store.find("piclick-base448")
    folder.mkdir()
    (folder / "piclick_base448.pth").write_bytes(micro_file.read_bytes())
    model = store.find("piclick-base448")
    assert model is not None
    assert model.path.name == "piclick-base448.safetensors"
    assert (folder / "piclick_base448.pth").exists()
    monkeypatch.delenv("PICLICK_WEIGHTS_DIR")
    monkeypatch.setattr(store.pooch, "os_cache", lambda name: folder / "cache" / name)
    assert store.stored() == {}


def test_a_folder_that_cannot_be_made_gives_way_to_the_cache(
    tmp_path: Path, micro_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("PICLICK_WEIGHTS_DIR", str(tmp_path / "file" / "weights"))
    monkeypatch.setattr(store.pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    assert store.add(micro_file, "mine").path.is_relative_to(tmp_path / "cache")


def test_names_that_are_taken_or_strange_are_refused(folder: Path, micro_file: Path) -> None:
    for name in ("piclick-tiny", "../up", ".hidden", "a b"):
        with pytest.raises(ValueError, match="cannot be called"):
            store.add(micro_file, name)


def test_a_safetensors_file_of_ours_can_be_added(folder: Path, tmp_path: Path) -> None:
    model = store.add(MODELS["piclick-tiny"].weights, "mine")
    assert model.architecture == "piclick-tiny"
    (tmp_path / "x.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="does not hold weights that napari-piclick knows"):
        store.add(tmp_path / "x.safetensors")


def test_a_catalogue_with_a_mistake_is_named(tmp_path: Path) -> None:
    for text in (
        "[[model",
        '[[model]]\nname = "x"',
        '[[model]]\nname="x"\nfile="../y"\nlicence=""',
    ):
        (tmp_path / "catalogue.toml").write_text(text)
        with pytest.raises(ValueError, match=r"catalogue\.toml cannot be read"):
            read_catalogue([tmp_path])
    with pytest.raises(ValueError, match="no SHA-256"):
        Entry("x", "x.pth", "MIT", url="https://example.org/x.pth")
    with pytest.raises(ValueError, match="neither http"):
        Entry("x", "x.pth", "MIT", url="file:///etc/passwd", sha256="0" * 64)


def test_the_command_lists_adds_and_tells(
    folder: Path, micro_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list"]) == 0
    assert "piclick-base448         from its authors" in capsys.readouterr().out
    assert main(["add", str(micro_file), "--name", "mine"]) == 0
    assert main(["list"]) == 0
    assert "mine" in capsys.readouterr().out
    assert main(["info", "mine"]) == 0
    assert sha256(micro_file) in capsys.readouterr().out
    assert main(["info", "piclick-base448"]) == 0
    assert "https://github.com/cilinyan/PiClick" in capsys.readouterr().out
    for wrong in (["info", "none"], ["add", str(tmp_path / "none")], ["verify", "none"]):
        assert main(wrong) == 2
        said = capsys.readouterr()
        assert said.err.count("\n") == 1
        assert "Traceback" not in said.err
