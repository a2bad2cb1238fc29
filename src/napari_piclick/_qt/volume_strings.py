"""The sentences of the volume section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick.session.slice_mask import LabelledBy

if TYPE_CHECKING:
    from napari_piclick._napari.slice_numbers import SliceNumbers
    from napari_piclick._napari.volume_actions import VolumeActions
    from napari_piclick.session.quality import SliceQuality
    from napari_piclick.session.stopping import Stopped

TITLE = "Volume"
OBJECT = "Object"
OBJECT_TIP = "The number of the object in the labels that is followed through the slices."
ALONG = "Along"
ALONG_TIP = "The axis to go along: depth, or time."
WAY = "Way"
WAY_TIP = "Where to go from the slice in view."
BOTH, UP, DOWN = "Both ways", "Up (higher slices)", "Down (lower slices)"
RANGE = "Slices"
RANGE_TIP = "Propagation keeps to these slices."
TO = "to"
FIRST, LAST = "First slice", "Last slice"
PROPAGATE = "Propagate"
PROPAGATE_TIP = (
    "Keep the object and follow it through the slices (K). Slices labelled by hand and other "
    "objects stay as they are; one undo takes all of it back."
)
STOP = "Stop"
STOP_TIP = "Stop here. What was found stays."
DOUBTFUL = "Next to check"
DOUBTFUL_TIP = "Go to the slice that most needs a look (W)."
INTERPOLATE = "Interpolate"
INTERPOLATE_TIP = "Label the slices between those labelled by hand, from their outlines alone."
CORRECT = "Correct here"
CORRECT_TIP = (
    "Take the object up on this slice: your next clicks refine it, or put it here. Keep it (Enter) "
    "when it is right."
)
CLEAR = "Not here"
CLEAR_TIP = "The object is not on this slice: wipe it away here."
AGAIN = "Follow corrections"
AGAIN_TIP = (
    "If ticked, a slice that you correct is followed to the slices beside it, as far as the next "
    "ones labelled by hand."
)
STRIP = "Quality of each slice"
STRIP_TIP = "How good each slice probably is. Click on one, or use the arrow keys, to go there."
LEGEND = (
    "Colour: probable quality, from <span style='color:#EB7828'>■</span> doubtful to "
    "<span style='color:#5ABEAF'>■</span> good. Mark below: labelled by hand."
)
CHANNELS = "Model sees"
CHANNELS_TIP = "What the model is shown: the image, or up to three channels as colours."
AS_IT_IS = "the image as it is"
COLORS = ("Red", "Green", "Blue")
NO_CHANNEL = "none"

_BY = {
    LabelledBy.HAND: "labelled by hand",
    LabelledBy.PROPAGATED: "propagated",
    LabelledBy.INTERPOLATED: "interpolated",
    None: "propagation stopped here",
}


def slice_tip(number: int, rating: SliceQuality | None) -> str:
    """What is known of the slice that has a number on the slider."""
    if rating is None:
        return f"Slice {number}: the object is not labelled here"
    lines = [f"Slice {number}: {_BY[rating.by]}"]
    if rating.by is not LabelledBy.HAND:
        lines += [
            f"Quality {rating.quality:.2f}",
            f"Predicted IoU {rating.predicted:.2f}",
            f"Agreement with the slices beside it {rating.agreement:.2f}",
        ]
    return "\n".join(lines)


def status(volume: VolumeActions) -> str:
    """What became of the object so far."""
    followed = volume.selected.followed
    if followed is None or not len(followed.slices):
        return "Click on an object, then propagate it to the slices beside this one."
    numbers = volume.selected.numbers
    on = sorted(numbers.shown(labelled.index) for labelled in followed.slices if labelled.area)
    if not on:
        return f"Object {followed.label} is on no slice."
    parts = [f"Object {followed.label} is on {_slices(len(on))}, {on[0]} to {on[-1]}."]
    if len(on) == 1:
        parts = [f"Object {followed.label} is on slice {on[0]}."]
    if volume.running:
        parts.append("Propagating…")
    parts += [_stopped(stop, numbers) for stop in followed.stopped.values()]
    return " ".join(parts)


def _stopped(stop: Stopped, numbers: SliceNumbers) -> str:
    way = "Up" if numbers.upwards(stop.step) > 0 else "Down"
    return f"{way}: stopped at slice {numbers.shown(stop.index)}, {stop.reason.value}."


def _slices(count: int) -> str:
    return f"{count} slice{'' if count == 1 else 's'}"
