"""The published network: how well it uses the machine, and what the fast mode costs.

Run ``python benchmarks/published.py`` (a minute or two on two cores, 3 GB of memory). Everything is
a ratio taken within one run, of the fastest of several repeats, so that other programs count
little. Times are with random weights, on which they do not depend; the IoU of the fast mode does,
and is measured with the weights that ``--weights`` names, if it does.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from skimage.data import binary_blobs
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from napari_piclick.models.deformable_attention import SamplingGrid
from napari_piclick.models.int8_linear import to_int8
from napari_piclick.models.piclick import PiClick
from napari_piclick.models.piclick_config import SIZES
from napari_piclick.models.published_checkpoint import load_piclick
from napari_piclick.weights.store import find

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPES = [(14, 14), (28, 28), (56, 56)]
HEADS, POINTS, WIDTH = 8, 4, 256


def seconds(run: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest call; the first one only warms up."""
    times = []
    with torch.inference_mode():
        for _ in range(repeats + 1):
            start = perf_counter()
            run()
            times.append(perf_counter() - start)
    return min(times[1:])


def matrix_rate(repeats: int) -> float:
    """FLOP/s of float32 matrix products, as large as the network's own and larger; the best."""
    rates = []
    for m, k, n in ((1568, 768, 3072), (2048, 2048, 2048)):
        a, b = torch.randn(m, k), torch.randn(k, n)
        rates.append(2 * m * k * n / seconds(lambda a=a, b=b: a @ b, 4 * repeats))
    return max(rates)


def prompt(batch: int, side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Grey blobs in noise with an empty previous mask, and a click on each."""
    pictures = []
    for seed in range(batch):
        blobs = binary_blobs(side, blob_size_fraction=0.2, volume_fraction=0.3, rng=seed)
        noise = np.random.default_rng(seed).normal(0, 0.05, blobs.shape)
        grey = np.clip(gaussian_filter(blobs * 0.4 + 0.3, 2) + noise, 0, 1).astype(np.float32)
        pictures.append(torch.from_numpy(np.stack([grey, grey, grey, 0 * grey])))
    click = torch.tensor([[[side / 2, side / 2, 0.0], [-1.0, -1.0, -1.0]]], dtype=torch.float64)
    return torch.stack(pictures), click.expand(batch, -1, -1)


def level_by_level(
    values: torch.Tensor, grid: SamplingGrid, x: torch.Tensor, y: torch.Tensor, w: torch.Tensor
) -> torch.Tensor:
    """Deformable attention with one ``grid_sample`` for each level, as the authors' program."""
    batch, total, width = values.shape
    read = []
    per = [t.unflatten(-1, (HEADS, len(SHAPES), POINTS)) for t in (x + grid.cols, y + grid.rows, w)]
    for level, (part, (h, wide)) in enumerate(
        zip(values.split([h * w for h, w in SHAPES], 1), SHAPES, strict=True)
    ):
        maps = part.transpose(1, 2).reshape(batch * HEADS, width // HEADS, h, wide)
        col, row = (t[..., level, :].transpose(1, 2).flatten(0, 1) for t in per[:2])
        places = torch.stack([(2 * col + 1) / wide - 1, (2 * row + 1) / h - 1], -1)
        read.append(F.grid_sample(maps, places, align_corners=False))
    weights = per[2].flatten(-2).transpose(1, 2).reshape(batch * HEADS, 1, total, -1)
    summed = (torch.stack(read, -2).flatten(-2) * weights).sum(-1)
    return summed.view(batch, width, total).transpose(1, 2).contiguous()


def time_deformable_attention(repeats: int) -> None:
    """Print how much faster our deformable attention is than level by level."""
    total = sum(h * w for h, w in SHAPES)
    torch.manual_seed(0)
    values = torch.randn(2, total, WIDTH)
    x, y, w = (torch.randn(2, total, HEADS * len(SHAPES) * POINTS) for _ in range(3))
    grid = SamplingGrid.of(SHAPES, HEADS, POINTS, torch.device("cpu"))
    one = seconds(lambda: level_by_level(values, grid, x, y, w), repeats)
    ours = seconds(lambda: grid.sample(values, y, x, w), repeats)
    print(f"deformable attention: grid_sample level by level {one * 1e3:.0f} ms, ours")
    print(f"  {ours * 1e3:.0f} ms: {one / ours:.1f} times as fast (wanted: 2)")


def mean_iou(a: torch.Tensor, b: torch.Tensor) -> float:
    """Mean IoU of (B, Q, h, w) masks with (B, Q, h, w) masks; two empty ones agree."""
    both, either = (a & b).sum((2, 3)), (a | b).sum((2, 3))
    return float(torch.where(either > 0, both / either.clamp(min=1), 1.0).mean())


def measure_agreement(model: PiClick, pictures: int) -> float:
    """Mean IoU of all proposals in float32 with those in 8 bits; the model is changed to 8 bits."""
    x, clicks = prompt(pictures, model.config.image[0])
    prompts = [(x[k : k + 1], clicks[k : k + 1]) for k in range(pictures)]
    with torch.inference_mode():
        exact = torch.cat([model(*each).masks > 0 for each in prompts])
        to_int8(model)
        close = torch.cat([model(*each).masks > 0 for each in prompts])
    return mean_iou(exact, close)


def measure_memory(size: str) -> str:
    """Peak memory, in GB, of a fresh process that makes a model and answers one click (Linux)."""
    folder = str(Path(__file__).resolve().parent)
    program = f"import sys; sys.path.insert(0, {folder!r}); import published as p; p.peak({size!r})"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()


def peak(size: str) -> None:
    """Answer one click with the flip pair, and print the process's peak memory in GB."""
    model = PiClick(SIZES[size]).eval()
    with torch.inference_mode():
        model(*prompt(2, 448))
    # of this process alone: what getrusage tells includes the one that started it
    status = Path("/proc/self/status").read_text(encoding="ascii")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    print(f"{int(kilobytes) * 1024 / 1e9:.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=sorted(SIZES), default="base")
    parser.add_argument("--weights", help="a model's name or file, for the IoU of the fast mode")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    time_deformable_attention(options.repeats)
    torch.manual_seed(0)
    model = PiClick(SIZES[options.size]).eval()
    for part in (model.neck, model.head.pixel_decoder):
        part.to(memory_format=torch.channels_last)
    side = model.config.image[0]
    pair = prompt(2, side)
    with FlopCounterMode(display=False) as counter:
        model(*pair)
    operations = counter.get_total_flops()
    before = matrix_rate(options.repeats)
    click = seconds(lambda: model(*pair), options.repeats)
    rate = max(before, matrix_rate(options.repeats))
    print(f"one click with the flip pair at {side}: {click:.2f} s, {operations / 1e9:.0f} GFLOP,")
    print(f"  {operations / click / 1e9:.0f} GFLOP/s; matrix products {rate / 1e9:.0f} GFLOP/s:")
    print(f"  {100 * operations / click / rate:.0f} % (wanted: 60)")

    single = prompt(1, side)
    view = seconds(lambda: model(*single), options.repeats)
    if options.weights:
        stored = find(options.weights)
        if stored is None:
            parser.error(f"there is no model {options.weights}")
        agreement, of = measure_agreement(load_piclick(stored.path), 12), stored.name
        to_int8(model)
    else:
        agreement, of = measure_agreement(model, 4), "random weights"
    fast = seconds(lambda: model(*single), options.repeats)
    print(f"8-bit: one view {view:.2f} s in float32, {fast:.2f} s: {view / fast:.2f} times as fast")
    print(f"  (wanted: 1.8), mean IoU with float32 {agreement:.4f} (wanted: 0.98), of {of}")
    print(f"fast mode, 8-bit and no flip: {click / fast:.2f} times as fast as a click")
    print(f"peak memory of one click: {measure_memory(options.size)} GB (wanted: 1.6)")


if __name__ == "__main__":
    main()
