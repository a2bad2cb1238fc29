"""Downloads: resumed, checked, and clear when they fail."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from napari_piclick.models.registry import MODELS
from napari_piclick.weights import store
from napari_piclick.weights.catalogue import Entry
from napari_piclick.weights.download import ATTEMPTS, download

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import FileServer


def entry(server: FileServer, sha256: str | None = None) -> Entry:
    digest = sha256 or hashlib.sha256(server.content).hexdigest()
    return Entry("served", "served.pth", "MIT", url=server.url, sha256=digest)


def test_a_file_arrives_with_progress(server: FileServer, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    path = download(entry(server), tmp_path, lambda *now: seen.append(now))
    assert path.read_bytes() == server.content
    assert seen[-1] == (len(server.content), len(server.content))
    assert [now[0] for now in seen] == sorted(now[0] for now in seen)
    assert [p.name for p in tmp_path.iterdir()] == ["served.pth"]


def test_a_cut_connection_is_taken_up_where_it_broke(server: FileServer, tmp_path: Path) -> None:
    server.cut_after = len(server.content) // 3 + 1
    assert download(entry(server), tmp_path).read_bytes() == server.content
    assert server.asked[0] is None
    assert server.asked[1:] == [f"bytes={server.cut_after * k}-" for k in (1, 2)]
    assert server.sent == len(server.content)


def test_the_next_call_goes_on_where_the_last_gave_up(server: FileServer, tmp_path: Path) -> None:
    server.cut_after = 1000
    with pytest.raises(ConnectionError, match=r"cut again and again.*next try goes on"):
        download(entry(server), tmp_path)
    assert (tmp_path / "served.pth.part").stat().st_size == 1000 * ATTEMPTS
    server.cut_after = None
    assert download(entry(server), tmp_path).read_bytes() == server.content
    assert server.asked[-1] == f"bytes={1000 * ATTEMPTS}-"


def test_a_server_without_ranges_begins_again(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "served.pth.part").write_bytes(b"something else")
    server.ranges = False
    assert download(entry(server), tmp_path).read_bytes() == server.content


def test_a_beginning_longer_than_the_file_is_thrown_away(
    server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "served.pth.part").write_bytes(b"x" * (len(server.content) + 5))
    assert download(entry(server), tmp_path).read_bytes() == server.content


def test_a_wrong_checksum_is_refused_and_nothing_stays(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not served: its SHA-256 is another"):
        download(entry(server, "0" * 64), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    gone = Entry("gone", "gone.pth", "MIT", url="http://127.0.0.1:9/x", sha256="0" * 64)
    with pytest.raises(ConnectionError, match="cut again and again"):
        download(gone, tmp_path)


def test_a_model_of_ones_own_catalogue_is_downloaded_when_it_is_needed(
    server: FileServer, folder: Path
) -> None:
    folder.mkdir()
    digest = hashlib.sha256(server.content).hexdigest()
    (folder / "catalogue.toml").write_text(
        f'[[model]]\nname = "ours"\nfile = "ours.pth"\nlicence = "CC0"\n'
        f'url = "{server.url}"\nsha256 = "{digest}"\n'
    )
    model = store.find("ours")
    assert model is not None
    assert (model.name, model.licence, model.source_sha256) == ("ours", "CC0", digest)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["catalogue.toml", "ours.safetensors", "ours.sha256"]
    assert store.find("ours") == model
    assert len(server.asked) == 1


def _catalogue(folder: Path, *entries: tuple[str, str, str, bytes]) -> None:
    """List models: name, file, address and content of each."""
    folder.mkdir()
    lines = [
        f'[[model]]\nname = "{name}"\nfile = "{file}"\nlicence = "{name}\'s"\nurl = "{url}"\n'
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"\n'
        for name, file, url, content in entries
    ]
    (folder / "catalogue.toml").write_text("".join(lines))


def test_a_file_that_is_called_as_its_model_is_kept(server: FileServer, folder: Path) -> None:
    server.content = MODELS["piclick-tiny"].weights.read_bytes()
    _catalogue(folder, ("ours", "ours.safetensors", server.url, server.content))
    model = store.find("ours")
    assert model is not None
    assert model.path.read_bytes() == server.content
    assert store.verify(model) == ""
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["catalogue.toml", "ours.safetensors", "ours.sha256"]


def test_two_models_may_have_files_of_one_name(server: FileServer, folder: Path) -> None:
    other = b"another file"
    first = server.content
    _catalogue(
        folder,
        ("theirs", "model.pth", server.url, other),
        ("ours", "model.pth", server.url, first),
    )
    model = store.find("ours")
    assert model is not None
    assert (model.name, model.licence) == ("ours", "ours's")
    # nor is a stored model that is called as the file taken for it
    store.add(MODELS["piclick-tiny"].weights, "model").path.rename(folder / "model.pth")
    # what arrived of one is not taken for a beginning of the other either
    server.cut_after = 100
    with pytest.raises(ConnectionError, match="cut again and again"):
        store.add("ours", "again")
    server.cut_after, server.content = None, other
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        store.find("theirs")
    assert server.asked[-1] is None
    server.content = first
    assert store.add("ours", "again").source_sha256 == hashlib.sha256(first).hexdigest()
    assert server.asked[-1] is not None
    assert not list(folder.glob("*.download"))


def test_of_a_wrong_file_of_the_catalogue_nothing_stays(server: FileServer, folder: Path) -> None:
    _catalogue(folder, ("ours", "ours.pth", server.url, b"something else"))
    with pytest.raises(ValueError, match="its SHA-256 is another"):
        store.find("ours")
    assert [path.name for path in folder.iterdir()] == ["catalogue.toml"]
