"""Command line: ``python -m napari_piclick.train --data FOLDER --output mine.safetensors``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from tqdm import tqdm

from napari_piclick.models.piclick_tiny import TinyConfig
from napari_piclick.models.registry import DEFAULT, find_weights
from napari_piclick.train.distributed import Team, device_of_process
from napari_piclick.train.held_out import HeldOut
from napari_piclick.train.loop import Trainer
from napari_piclick.train.picture_makers import PictureMakers
from napari_piclick.train.picture_plan import PicturePlan
from napari_piclick.train.plot import draw_losses
from napari_piclick.train.presets import LEFT_OUT
from napari_piclick.train.recipe import RECIPES
from napari_piclick.train.run_state import check_not_replaced
from napari_piclick.train.schedule import Schedule
from napari_piclick.train.validation import validation_samples


def training_arguments() -> argparse.ArgumentParser:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m napari_piclick.train",
        description="Train PiClick-Tiny on labelled pictures, volumes and synthetic ones.",
        epilog="Run the same command again to go on where a run was stopped or killed.",
    )
    add = parser.add_argument
    add("--data", type=Path, help="folder of training sets; without it only synthetic pictures")
    add(
        "--init",
        nargs="+",
        default=[DEFAULT],
        help="model name or file of weights to begin with; of several, their mean",
    )
    add("--output", type=Path, required=True, help="file of weights to write (.safetensors)")
    add("--run", type=Path, help="folder of the run's state (default: beside the output)")
    add("--recipe", choices=sorted(RECIPES), default="tiny")
    add("--steps", type=int, default=Schedule.steps)
    add("--batch", type=int, default=Schedule.batch, help="prompts in a step")
    add(
        "--size",
        type=int,
        nargs="+",
        default=[512],
        help="side of the training pictures in pixels; of several, each step takes one",
    )
    add("--learning-rate", type=float, default=Schedule.learning_rate)
    add(
        "--encoder",
        type=float,
        default=Schedule.encoder,
        help="how fast the stages of the encoder learn, relative to the decoder; 0: they stay, "
        "and each picture is encoded once",
    )
    add(
        "--neck",
        type=float,
        default=Schedule.neck,
        help="how fast the encoder's neck learns, relative to the decoder; 0: it stays",
    )
    add("--minutes", type=float, help="stop after this time; run again to go on")
    add("--until", type=int, metavar="STEP", help="stop before this step; run again to go on")
    add("--workers", type=int, default=1, help="processes that make pictures")
    add("--threads", type=int, help="threads of the training process")
    add(
        "--prompts-per-picture",
        type=int,
        default=Schedule.prompts_per_picture,
        metavar="N",
        help="prompts of a step that share a picture, which spares an encoder that learns",
    )
    add(
        "--new-pictures",
        type=int,
        default=Schedule.new_pictures,
        metavar="N",
        help="pictures that are new in each step",
    )
    add("--device", default="auto", help="cuda:0 is shared by all processes of torchrun")
    add("--seed", type=int, default=0)
    add(
        "--validate",
        type=int,
        default=16,
        metavar="N",
        help="keep the best weights by N held-out pictures of each source (0: keep the last)",
    )
    add(
        "--leave-out",
        nargs="*",
        default=list(LEFT_OUT),
        metavar="SOURCE",
        help="sources that take no part, by their folder or name (default: blood)",
    )
    add("--no-synthetic", action="store_true", help="leave out synthetic pictures")
    add("--no-superpixels", action="store_true", help="leave out superpixels as targets")
    add(
        "--forget-confidence",
        action="store_true",
        help="write a constant confidence score, so that the IoU score alone ranks",
    )
    add(
        "--queries", type=int, default=7, help="proposals per click, if --init has four mask tokens"
    )
    add("--clicks-as", choices=("both", "tokens", "disks"), default="both")
    return parser


def schedule_of(options: argparse.Namespace) -> Schedule:
    """The schedule that the options ask for.

    Raises
    ------
    ValueError
        If there is no such schedule.
    """
    return Schedule(
        steps=options.steps,
        batch=options.batch,
        learning_rate=options.learning_rate,
        encoder=options.encoder,
        neck=options.neck,
        prompts_per_picture=options.prompts_per_picture,
        new_pictures=options.new_pictures,
    )


def main(argv: list[str] | None = None) -> int:
    """Train; returns the exit code."""
    options = training_arguments().parse_args(argv)
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    try:
        device = device_of_process(options.device)
        # the pictures of a run have few sizes, for which a GPU's fastest way is found once
        torch.backends.cudnn.benchmark = device.type == "cuda"
        check_not_replaced(options.output, map(find_weights, options.init))
        run = options.run or options.output.with_suffix(".run")
        plan = PicturePlan(
            folder=run / "pictures",
            data=options.data,
            init=tuple(options.init),
            config=TinyConfig(
                options.queries,
                options.clicks_as != "disks",
                options.clicks_as != "tokens",
                evidence=True,
            ),
            size=tuple(options.size),
            synthetic=not options.no_synthetic,
            superpixels=not options.no_superpixels,
            seed=options.seed,
            encoded=options.encoder == 0,
            # only encoding needs the device, which the makers of pictures leave alone otherwise
            device=str(device) if options.encoder == 0 else "cpu",
            leave_out=tuple(options.leave_out),
        )
        store = plan.open()
        schedule = schedule_of(options)
        model = store.model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        recipe = RECIPES[options.recipe]
        team = Team.from_environment(device, shared=":" in options.device)
        held_out = None
        if options.validate and team.leads:
            samples = validation_samples(
                options.data, options.size[0], per_source=options.validate,
                synthetic=not options.no_synthetic, leave_out=options.leave_out,
            )  # fmt: skip
            held_out = HeldOut(None if options.encoder else model, samples)
        trainer = Trainer(
            model,
            store,
            recipe,
            schedule,
            run,
            options.seed,
            team=team,
            validate=held_out,
            origin=plan.origin(),
        )
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    workers = options.workers if team.leads else 0
    with (
        PictureMakers(plan.open, store, schedule, trainer.next_step, workers) as makers,
        tqdm(
            total=schedule.steps, initial=trainer.next_step, unit="step", disable=not team.leads
        ) as bar,
    ):

        def report(step: int, losses: dict[str, float]) -> None:
            makers.reached(step)
            bar.update()
            bar.set_postfix({k: f"{v:.3f}" for k, v in losses.items() if k != "rounds"})

        seconds = None if options.minutes is None else 60 * options.minutes
        finished = trainer.run(seconds, report, until=options.until)
    if team.leads:
        draw_losses(run)
        trainer.export(
            options.output,
            forget_confidence=options.forget_confidence,
            recipe=options.recipe,
            seed=str(options.seed),
        )
        state = "finished" if finished else "stopped; run the same command again to go on"
        done = f"{trainer.next_step} of {schedule.steps} steps"
        print(f"{state}: {done}, weights in {options.output}")
    team.part()
    return 0


if __name__ == "__main__":
    sys.exit(main())
