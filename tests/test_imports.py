"""Imports run inwards only, and importing the package costs next to nothing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
PACKAGE = "napari_piclick"

#: The rings, and which of the others each may import. Modules at the top of the package are values.
RINGS = {
    "values": set(),
    "models": {"values"},
    "weights": {"values", "models"},
    "predict": {"values", "models", "weights"},
    "session": {"values", "predict", "io"},
    "io": {"values"},
    "eval": {"values", "models", "predict", "session", "io"},
    "train": {"values", "models", "weights", "predict", "io"},
    "segment": {"values", "predict", "session", "io"},
    "_napari": {"values", "predict", "session", "io"},
    "_qt": {"values", "weights", "predict", "session", "io", "train", "_napari"},
}

#: Libraries with consequences, and the only rings that may import them.
KEPT_TO = {
    "torch": {"models", "predict", "eval", "train"},
    "napari": {"_napari", "_qt"},
    "magicgui": {"_napari", "_qt"},
    "superqt": {"_napari", "_qt"},
    "qtpy": {"_napari", "_qt"},
    "PyQt5": set(),
    "PyQt6": set(),
    "PySide2": set(),
    "PySide6": set(),
}


def ring_of(module: str) -> str:
    """The ring of a module of the package, by its dotted name."""
    first = module.split(".")[1] if "." in module else ""
    return first if first in RINGS else "values"


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(tree: ast.AST, package: str) -> Iterator[str]:
    """Every dotted name a module imports, wherever in it; ``package`` is what ``.`` means there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) + 1 - node.level]
            origin = ".".join([*(base if node.level else []), *filter(None, [node.module])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def arrows_up(source: str, module: str, package: str) -> list[str]:
    """The imports in ``source`` that its ring does not allow."""
    ring = ring_of(module)
    wrong = []
    for name in imports_of(ast.parse(source), package):
        library = name.split(".")[0]
        if library == PACKAGE and name != PACKAGE:
            target = ring_of(name)
            if target != ring and target not in RINGS[ring]:
                wrong.append(name)
        elif library in KEPT_TO and ring not in KEPT_TO[library]:
            wrong.append(name)
    return wrong


def private_napari(source: str) -> list[str]:
    """Uses of napari that only napari itself should make."""
    tree = ast.parse(source)
    names = [
        name
        for name in imports_of(tree, PACKAGE)
        if name.split(".")[0] == "napari" and any(p.startswith("_") for p in name.split("."))
    ]
    attributes = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"_qt_viewer", "_qt_window"}
    ]
    return names + attributes


MODULES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_inwards(path):
    name = module_name(path)
    if name == PACKAGE:
        # It names the public things of every ring, for type checkers; at run time it imports none.
        return
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    assert arrows_up(path.read_text(encoding="utf-8"), name, package) == []


@pytest.mark.parametrize(
    "path",
    MODULES
    + sorted((ROOT / "examples").rglob("*.py"))
    + sorted((ROOT / "benchmarks").rglob("*.py")),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_only_public_napari(path):
    assert private_napari(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("models.vit", "from napari_piclick.predict import Predictor"),
        ("models.vit", "from ..predict import Predictor"),
        ("models.vit", "import napari"),
        ("region", "from napari_piclick import session"),
        ("predict.predictor", "import napari_piclick.eval.clicker"),
        ("session.session", "import torch.nn as nn"),
        ("session.session", "from qtpy.QtCore import QObject"),
        ("_napari.layers", "from napari_piclick._qt.widget import PiClickWidget"),
        ("_qt.widget", "from PyQt6 import QtCore"),
        ("_qt.widget", "if True:\n    from napari_piclick.eval import metrics"),
    ],
)
def test_an_arrow_that_points_up_is_seen(module, line):
    package = f"{PACKAGE}.{module}".rpartition(".")[0]
    assert arrows_up(line, f"{PACKAGE}.{module}", package) != []


@pytest.mark.parametrize(
    "line",
    [
        "from napari._qt.qt_viewer import QtViewer",
        "import napari._vispy",
        "from napari.utils import _magicgui",
        "viewer.window._qt_viewer.canvas",
    ],
)
def test_private_napari_is_seen(line):
    assert private_napari(line) != []


def loaded_by(statement: str) -> set[str]:
    """The top-level modules in a fresh interpreter after a statement."""
    code = f"import sys, json; {statement}; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        cwd=ROOT,
    )
    return {name.split(".")[0] for name in json.loads(answer.stdout)}


def test_importing_the_package_loads_neither_torch_nor_napari():
    loaded = loaded_by("import napari_piclick; dir(napari_piclick)")
    assert PACKAGE in loaded
    assert loaded.isdisjoint({"torch", "napari", "qtpy", "numpy", "scipy", "skimage"})


@pytest.mark.parametrize("name", ["Click", "Region", "Proposals", "Session"])
def test_values_and_session_need_neither_torch_nor_napari(name):
    loaded = loaded_by(f"from napari_piclick import {name}")
    assert loaded.isdisjoint({"torch", "napari", "qtpy"})


def test_every_public_name_is_there():
    import napari_piclick

    for name in napari_piclick.__all__:
        assert name in dir(napari_piclick)
        assert getattr(napari_piclick, name).__name__ == name


def test_a_name_that_is_not_there_is_an_attribute_error():
    import napari_piclick

    with pytest.raises(AttributeError, match="no attribute 'Clik'"):
        napari_piclick.Clik  # noqa: B018


def test_no_signal_is_connected_to_the_emit_of_another() -> None:
    # psygnal tries such a callback out, and so emits a number that nobody has sent
    for path in MODULES:
        assert ".emit)" not in path.read_text(encoding="utf-8"), path
