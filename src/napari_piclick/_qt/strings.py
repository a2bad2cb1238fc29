"""The strings: every sentence of the panel in one place."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from napari_piclick.session.engine import Stage

if TYPE_CHECKING:
    from napari_piclick._napari import keys
    from napari_piclick._napari.controller import Controller
    from napari_piclick.proposals import Proposals

IMAGE = "Image"
IMAGE_TIP = "The image layer to segment."
NO_IMAGE = "No image"
LABELS = "Labels"
LABELS_TIP = (
    "The labels layer that takes the objects you keep. "
    "Layers of the same size as the image are offered."
)
NEW_LABELS = "New labels layer"
MODEL = "Model"
MODEL_TIP = (
    "The model that proposes masks. It is loaded when it is first needed. In the thorough mode it "
    "looks two or three times before it answers: better proposals, for as much more time."
)
OTHER_MODEL = "From a file…"
MODEL_FILES = "Weights (*.safetensors *.pth *.pt);;All files (*)"
MORE_MODELS = "More models…"
MODELS = "PiClick models"
MODELS_TIP = "Double-click a model, or press Enter on it, to use it."
ADD_MODEL = "Add a file…"
ADD_MODEL_TIP = "Add a file of weights from your disk; it is checked before it is used."
FINE_TUNING = "Fine-tune on your labels"
FINE_TUNE = "Fine-tune"
FINE_TUNE_TEXT = (
    "Makes piclick-tiny better at images like the current one, from the objects you have labelled "
    "on it. Five labelled slices or more are best: some are held out, to tell how much better it "
    "becomes. It takes some minutes, and you can go on working."
)
FINE_TUNE_TIP = (
    "Make a new model from piclick-tiny and your labels. You can go on working meanwhile."
)
FINE_TUNE_NAME = "Name"
FINE_TUNE_NAME_HINT = "named after the image"
FINE_TUNE_NAME_TIP = "What to call the new model. The old one stays as it is."
FINE_TUNE_STOP = "Stop fine-tuning"
FINE_TUNE_STOP_TIP = "Nothing is kept of what was learned so far."
FINE_TUNE_BEGINS = "Looking at the labelled slices…"
FINE_TUNING_ACTIVITY = "PiClick: fine-tuning"
FINE_TUNE_STOPPING = "Stopping after this step…"
FINE_TUNE_STOPPED = "Stopped. No model was made."
FINE_TUNE_NO_LABELS = "There are no labels to learn from: choose an image and its labels first."
FAST_MODE = "Fast mode on the CPU"
FAST_MODE_TIP = (
    "For the published models: 8-bit arithmetic, and no second look at the mirror image. "
    "About five times as fast on a CPU, with nearly the same masks."
)
THOROUGH_MODE = "Thorough mode"
THOROUGH_MODE_TIP = (
    "For models made from piclick-tiny: looks at the mirror image too, and after a first click "
    "at the object from nearer. Better proposals, for about three times the time."
)
STOP_ADDING = "Stop"
STOP_ADDING_TIP = "What has arrived is kept, and the next try goes on from there."
STOPPED_ADDING = "Stopped. What has arrived is kept: double-click the model to go on."
OVERWRITE = "Overwrite other objects"
OVERWRITE_TIP = (
    "If ticked, the object you keep takes pixels that belong to others. "
    "Otherwise those pixels stay as they are."
)

LIVE = "Live preview"
LIVE_TIP = (
    "If ticked, what a click would give shows faintly while the mouse moves over the image (H). "
    "It is a first look: the click itself may look closer."
)

START = "Go on clicking"
START_TIP = "Select the layer of clicks, so that your next click in the image counts."
UNDO = "Undo"
REDO = "Redo"
ACCEPT = "Keep object (Enter)"
CANCEL = "Cancel"

BUSY = "Activity"
BUSY_TIP = "This line moves while PiClick loads, encodes, predicts or saves."

HINT = (
    "<b>Left click</b> on the object, <b>right click</b> (or Shift + left) on what is not part "
    "of it. Drag to move the image, keys <b>1–7</b> and <b>Tab</b> take another proposal. "
    "Clicks also count while the image or labels are selected and only panned; <b>G</b> brings "
    "you back here."
)
FIRST_STEPS = (
    "<b>First steps</b><br>1. Left click on an object: the blue mask is the best proposal.<br>"
    "2. Too little? Left click on what is missing. Too much? Right click on it.<br>"
    "3. Or take another picture below; rest on it to see it first.<br>"
    "4. Press Enter to keep the object, and click on the next.<br>"
    "Ctrl+Z takes back anything."
)
DISMISS = "Do not show this again"
DISMISS_TIP = "Close these first steps; napari's preferences bring them back."
PROPOSALS = "Proposals"
NO_PROPOSALS = "Proposals appear here after the first click."

#: The colour of links: it can be read on napari's dark and on its light background.
LINK = "#4A86E8"

_STAGES = {
    Stage.LOADING: "Loading the model…",
    Stage.ENCODING: "Looking at this plane…",
    Stage.PREDICTING: "Predicting…",
}


def section_tip(title: str) -> str:
    """The tooltip of the heading of a section."""
    return f"Open or close “{title}”."


def section_name(title: str, opened: bool) -> str:
    """The heading of a section, for those who hear it."""
    return f"{title}, {'open' if opened else 'closed'}"


def where_models_are(pages: list[str]) -> str:
    """Where to get weights that cannot be downloaded by program, with links."""
    style = f'style="color: {LINK}"'
    links = " and ".join(f'<a href="{escape(page)}" {style}>{escape(page)}</a>' for page in pages)
    return (
        f"The authors of PiClick hand their weights out on a shared drive: see {links}. "
        "Download a file there in your browser, then drop it here; it is checked before it is "
        "used, and nothing in it is run."
    )


def model_here(name: str) -> str:
    """A model that can be used at once."""
    return f"{name}: ready"


def model_elsewhere(name: str, downloadable: bool) -> str:
    """A model that is known, but not here yet."""
    how = "double-click to download" if downloadable else "from its authors, see below"
    return f"{name}: {how}"


def adding(name: str) -> str:
    """A model is being added."""
    return f"Adding {name}…"


def fine_tuning(step: int, steps: int) -> str:
    """A fine-tuning goes on."""
    return f"Learning: step {step} of {steps}."


def fine_tuned(
    name: str,
    slices: int,
    held_out: int,
    before: tuple[float, ...] | None,
    after: tuple[float, ...] | None,
) -> str:
    """A fine-tuning is done: mean IoU after each click on held-out slices, before and after."""
    if before is None or after is None:
        return (
            f"{name} is ready, from {_slices(slices)}. Whether it is better is not known: with "
            "five labelled slices or more, some are held out to tell."
        )
    last = len(before)
    change = f"{before[0]:.2f} before, {after[0]:.2f} now"
    later = f"{before[-1]:.2f} before, {after[-1]:.2f} now"
    words = (
        f"{name} is ready. On {_slices(held_out)} it did not learn from, the mean IoU after one "
        f"click was {change}; after {last} clicks {later}."
    )
    if after[0] + after[-1] <= before[0] + before[-1]:
        words += " It is no better: stay with the old one, or label more slices."
    return words


def _slices(count: int) -> str:
    return f"{count} slice{'' if count == 1 else 's'}"


def added(name: str) -> str:
    """A model was added."""
    return f"{name} is ready."


def tip(shortcut: keys.Shortcut) -> str:
    """The tooltip of a button with a shortcut."""
    return f"{shortcut.meaning[0].upper()}{shortcut.meaning[1:]} ({shortcut.qt_key})."


def proposal_tip(proposals: Proposals, index: int, area: str) -> str:
    """The tooltip of one proposal."""
    lines = [
        f"Proposal {index + 1}, key {index + 1}",
        f"Area {area}",
        f"IoU {proposals.iou[index]:.2f}: how well the mask fits its object, as the model sees it",
        f"Confidence {proposals.confidence[index]:.2f}: how sure it is that this is an object",
    ]
    if index == proposals.part:
        lines.append(
            "What is as bright as the place clicked, in a mask of the model; scores follow from it"
        )
    twin = proposals.duplicate_of[index]
    if twin is not None:
        lines.append(f"Nearly the same as proposal {twin + 1}")
    if index == proposals.chosen:
        lines.append("Chosen by you" if proposals.chosen_by == "user" else "Chosen by the model")
    return "\n".join(lines)


def folded(count: int, shown: bool) -> str:
    """What is on the button that unfolds near-duplicates."""
    if shown:
        return "Hide those that look the same"
    return f"Show {count} more that look{'s' if count == 1 else ''} the same"


FOLDED_TIP = "Proposals that are nearly the same as a better one are folded away."


def chosen_line(proposals: Proposals) -> str:
    """Which proposal counts, and who chose it."""
    by = "you" if proposals.chosen_by == "user" else "the model"
    return f"{proposals.chosen + 1} of {len(proposals)}, chosen by {by}"


def status(controller: Controller, *, busy: bool = True) -> str:
    """What is happening, and what the user can do next: one or two short sentences.

    Parameters
    ----------
    controller : Controller
    busy : bool
        Whether what the worker does takes long enough to be told.
    """
    return " ".join(part for part in (_doing(controller, busy), _unfinished(controller)) if part)


def _doing(controller: Controller, busy: bool) -> str:
    clicks = controller.session.clicks
    if controller.problem:
        return controller.problem
    if controller.accept_waits:
        return "Keeping the object as soon as its proposals are here…"
    stage = controller.answers.stage if busy else None
    if stage is not None and (clicks or stage is Stage.LOADING):
        return _STAGES[stage]
    if busy and controller.saver.busy and not clicks:
        return f"{controller.saver.busy}… You can go on working."
    if not controller.listening:
        return f"Another layer is selected: press “{START}” below."
    if not clicks:
        return f"{_written(controller)}Ready: click on an object."
    if not any(click.positive for click in clicks) and controller.session.proposals is None:
        return "Now left click on the object itself."
    count = f"{len(clicks)} click{'s' if len(clicks) > 1 else ''}."
    return f"{count} Click again to correct, or keep the object (Enter)."


def activity(stage: Stage) -> str:
    """What the model does, for napari's activity dock."""
    return f"PiClick: {_STAGES[stage]}"


def following(label: int, slices: int) -> str:
    """An object is followed through slices, for napari's activity dock."""
    return f"PiClick: object {label} on {_slices(slices)}"


def device(controller: Controller) -> str:
    """Where the model runs."""
    answers = controller.answers
    return "" if answers.device is None else f"{answers.model} on {answers.device}"


def _written(controller: Controller) -> str:
    written = controller.written
    if written is None:
        return ""
    kept = f", {written.kept_back} left to other objects" if written.kept_back else ""
    return f"Kept object {written.label} ({written.pixels} pixels{kept}). "


def _unfinished(controller: Controller) -> str:
    waiting = controller.view.elsewhere(controller.session.unfinished)
    if not waiting:
        return ""
    if len(waiting) > 1:
        return f"{len(waiting)} unfinished objects wait on other planes."
    named = [
        f"slice {step}" if axis.lstrip("-").isdigit() else f"{axis} = {step}"
        for axis, step in waiting[0]
    ]
    return f"An unfinished object waits on {', '.join(named) or 'other axes'}."
