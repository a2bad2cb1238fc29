"""Wheel, source archive and editable install all bring the manifest, the weights and the samples.

Each is built and installed for real, away from this checkout, without the network, and then looked
at by a fresh interpreter that sees that install and the libraries, but no other napari-piclick.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "napari_piclick"

#: Files of the package that are not code, by their ending; each must reach every install.
DATA = (".safetensors", ".md", ".txt", ".tif", ".nii.gz", ".yaml", ".typed")

LOOK = """
import json, site, sys
site.addsitedir(sys.argv[1])
sys.path.append(sys.argv[2])
from importlib import metadata, resources
from npe2 import PluginManifest
manifest = PluginManifest.from_distribution("napari-piclick")
package = resources.files("napari_piclick")
print(json.dumps({
    "installed": str(metadata.distribution("napari-piclick").locate_file("")),
    "package": str(package),
    "version": manifest.package_version,
    "commands": [command.id for command in manifest.contributions.commands],
    "manifest": (package / "napari.yaml").read_text(encoding="utf-8"),
}))
"""


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def data_files(package: Path) -> dict[str, int]:
    """The size of each data file of a package, by its path inside."""
    return {
        str(path.relative_to(package)): path.stat().st_size
        for path in sorted(package.rglob("*"))
        if path.name.endswith(DATA) and path.is_file()
    }


@pytest.fixture(scope="module")
def archives(tmp_path_factory) -> dict[str, Path]:
    """The source archive, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return {"sdist": next(folder.glob("*.tar.gz")), "wheel": next(folder.glob("*.whl"))}


@pytest.fixture(scope="module", params=["wheel", "sdist", "editable"])
def install(request, archives, tmp_path_factory) -> dict:
    """What a fresh interpreter finds after an install of each kind."""
    folder = tmp_path_factory.mktemp(request.param)
    what = ["--editable", ROOT] if request.param == "editable" else [archives[request.param]]
    pip = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps"]
    run(*pip, "--no-build-isolation", "--ignore-installed", "--prefix", folder, *what, cwd=folder)
    (site_packages,) = folder.rglob("site-packages")
    libraries = sysconfig.get_path("purelib")
    # -S leaves out the usual site-packages with its own editable install.
    seen = json.loads(run(sys.executable, "-S", "-c", LOOK, site_packages, libraries, cwd=folder))
    return {**seen, "kind": request.param, "site_packages": site_packages}


def test_the_manifest_is_found_where_napari_looks(install):
    assert Path(install["installed"]).resolve() == install["site_packages"].resolve()
    place = ROOT / "src" if install["kind"] == "editable" else install["site_packages"]
    assert Path(install["package"]).parent.resolve() == place.resolve()
    assert install["manifest"] == (ROOT / "napari.yaml").read_text(encoding="utf-8")
    assert "napari-piclick.widget" in install["commands"]


def test_the_version_is_the_packages_own(install):
    from napari_piclick import __version__

    assert install["version"] == __version__


def test_weights_and_samples_come_along(install):
    ours = data_files(PACKAGE)
    assert {"models/weights/piclick-tiny.safetensors", "models/weights/piclick-tiny.md"} <= set(
        ours
    )
    assert data_files(Path(install["package"])) == ours


def test_no_qt_binding_is_forced_on_anyone(archives):
    with zipfile.ZipFile(archives["wheel"]) as wheel:
        (name,) = [n for n in wheel.namelist() if n.endswith(".dist-info/METADATA")]
        lines = wheel.read(name).decode().splitlines()
    needed = [line.split(":", 1)[1].strip() for line in lines if line.startswith("Requires-Dist:")]
    base = [need.lower() for need in needed if "extra ==" not in need]
    assert any(need.startswith("napari>=") for need in base)
    assert not [need for need in base if need.startswith(("pyqt", "pyside", "napari["))]
    assert 'napari[all]; extra == "all"' in [need.replace("'", '"') for need in needed]
    assert "Classifier: Framework :: napari" in lines
    assert "License-Expression: BSD-3-Clause" in lines


def test_the_source_archive_has_real_files_only(archives):
    with tarfile.open(archives["sdist"]) as archive:
        members = archive.getmembers()
    assert [member.name for member in members if not member.isfile()] == []
    names = {member.name.partition("/")[2] for member in members}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "src/napari_piclick/napari.yaml"} <= names


def test_there_is_one_manifest_only():
    link = PACKAGE / "napari.yaml"
    assert link.samefile(ROOT / "napari.yaml")
    found = {path.resolve() for path in (*ROOT.glob("*.yaml"), *PACKAGE.rglob("*.yaml"))}
    assert found == {(ROOT / "napari.yaml").resolve()}


def test_the_manifest_is_valid_and_all_it_names_can_be_imported():
    told = run(
        Path(sys.executable).with_name("npe2"), "validate", "--imports", "napari-piclick", cwd=ROOT
    )
    assert "valid" in told.lower()


def test_constraints_pin_exact_versions_of_what_we_depend_on():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert all(version[0].isdigit() and "+" not in version for version in pins.values())

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for need in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
        name = need.partition(">")[0].partition("[")[0]
        assert name.lower() in {pin.lower() for pin in pins}, f"{need} is not pinned"
