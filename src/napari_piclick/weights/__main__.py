"""The command: ``python -m napari_piclick.weights {list,add,info,verify}``."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tqdm import tqdm

from napari_piclick.models.registry import MODELS
from napari_piclick.weights import store

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 if all is well, 1 if a file is not as it was, 2 for an error."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2


def _list(_: argparse.Namespace) -> int:
    print(f"{'name':<24}{'where':<38}licence")
    for model in MODELS.values():
        print(f"{model.name:<24}{'comes with the package':<38}{model.licence}")
    here = store.stored()
    for name, found in here.items():
        print(f"{name:<24}{f'added ({found.path.stat().st_size / 1e6:.0f} MB)':<38}{found.licence}")
    for name, entry in store.catalogue().items():
        if name not in here:
            where = "is downloaded when first used" if entry.url else "from its authors (see info)"
            print(f"{name:<24}{where:<38}{entry.licence}")
    print("Folders: " + ", ".join(map(str, store.folders())))
    return 0


def _add(options: argparse.Namespace) -> int:
    with tqdm(unit="B", unit_scale=True, unit_divisor=1024, disable=None) as bar:

        def on_progress(there: int, total: int | None) -> None:
            bar.total = total
            bar.update(there - bar.n)

        model = store.add(options.source, options.name, on_progress)
    print(f"Added {model.name}: {model.path}")
    return 0


def _info(options: argparse.Namespace) -> int:
    name = options.name
    if name in MODELS:
        shipped = MODELS[name]
        print(f"{name} comes with the package: {shipped.weights}\nModel card: {shipped.card}")
        return 0
    model, entry = store.stored().get(name), store.catalogue().get(name)
    if model is None and entry is None:
        raise ValueError(f"There is no model {name}; see python -m napari_piclick.weights list.")
    if model is not None:
        print(f"{name}: {model.path}\nnetwork: {model.architecture}")
        print(f"made from: {model.source}, SHA-256 {model.source_sha256}")
        print(f"configuration: {model.config}")
    if entry is not None:
        print(f"page: {entry.page}\nfile: {entry.file}\naddress: {entry.url or 'none'}")
    print(f"licence: {model.licence if model is not None else entry.licence if entry else ''}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    here = store.stored()
    missing = [name for name in options.names if name not in here]
    if missing:
        raise ValueError(f"No model {missing[0]} was added; see `list`.")
    wrong = 0
    for name in options.names or here:
        problem = store.verify(here[name])
        wrong += bool(problem)
        print(problem or f"{name} is as it was added.")
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m napari_piclick.weights",
        description="Keep files of weights: those of PiClick's authors, or your own.",
        epilog=f"Set {store.VARIABLE} to a folder that replaces the user's cache.",
    )
    commands = parser.add_subparsers(required=True, metavar="{list,add,info,verify}")
    command = commands.add_parser("list", help="what there is")
    command.set_defaults(run=_list)
    command = commands.add_parser("add", help="add a file, or download a model of the list")
    command.add_argument("source", metavar="FILE|NAME")
    command.add_argument("--name", help="what to call it")
    command.set_defaults(run=_add)
    command = commands.add_parser("info", help="all that is known of a model")
    command.add_argument("name")
    command.set_defaults(run=_info)
    command = commands.add_parser("verify", help="check that files are as they were added")
    command.add_argument("names", nargs="*", metavar="name")
    command.set_defaults(run=_verify)
    return parser


if __name__ == "__main__":
    sys.exit(main())
