"""The loop of both trainings: by the clock, resumable, with a moving average of the weights."""

import argparse
import copy
import datetime
import math
import os
import time
from pathlib import Path
from typing import Callable

import torch
from torch.utils.data import DataLoader, IterableDataset


def deadline(text: str) -> float:
    """The next moment that the clock shows HH:MM, as seconds since 1970."""
    now = datetime.datetime.now()
    hour, minute = map(int, text.split(":"))
    end = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (end if end > now else end + datetime.timedelta(days=1)).timestamp()


def save(path: Path, state: dict):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path.with_suffix(".tmp"))
    os.replace(path.with_suffix(".tmp"), path)


@torch.no_grad()
def follow(mean: torch.nn.Module, net: torch.nn.Module, steps: int):
    """Moving average of the weights; short at first, so that the random start is soon forgotten."""
    keep = min(0.995, (1 + steps) / (10 + steps))
    for average, value in zip(mean.state_dict().values(), net.state_dict().values()):
        if average.dtype.is_floating_point:
            average.lerp_(value, 1 - keep)
        else:
            average.copy_(value)


def options(description: str, data: str, batch: int) -> argparse.Namespace:
    ask = argparse.ArgumentParser(description=description)
    ask.add_argument("--data", type=Path, required=True, help=data)
    ask.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts"))
    ask.add_argument("--checkpoint", type=Path, required=True)
    ask.add_argument("--start", type=Path, help="weights to begin with where there is no checkpoint: weights/NAME.pt")
    ask.add_argument("--until", help="clock time HH:MM; otherwise --minutes counts")
    ask.add_argument("--minutes", type=float, default=60)
    ask.add_argument("--batch", type=int, default=batch)
    ask.add_argument("--rate", type=float, default=2e-3)
    ask.add_argument("--threads", type=int, default=1, help="two threads wait for each other on a busy machine: ten times slower")
    ask.add_argument("--workers", type=int, default=1)
    ask.add_argument("--seed", type=int, default=20261124)
    return ask.parse_args()


def train(given: argparse.Namespace, net: torch.nn.Module, samples: Callable[[int], IterableDataset], judge: Callable):
    """`samples` are made from a seed; `judge` answers the loss of a batch and figures worth showing, by name."""
    begun = time.time()
    end = deadline(given.until) if given.until else begun + 60 * given.minutes
    torch.set_num_threads(given.threads)
    net = net.to(memory_format=torch.channels_last)
    best = torch.optim.AdamW(net.parameters(), lr=given.rate, weight_decay=0.02)
    if given.start:
        kept = torch.load(given.start, weights_only=True)
        net.load_state_dict({name: value.float() if value.dtype == torch.float16 else value for name, value in kept.items()})
    mean, steps, spent, curve = copy.deepcopy(net), 0, 0.0, []
    if given.checkpoint.exists():
        state = torch.load(given.checkpoint, weights_only=True)
        net.load_state_dict(state["net"])
        mean.load_state_dict(state["mean"])
        best.load_state_dict(state["optimizer"])
        steps, spent, curve = state["steps"], state["seconds"], state.get("curve", [])
    loader = DataLoader(samples(given.seed + steps), given.batch, num_workers=given.workers, prefetch_factor=4)

    def checkpoint():
        save(given.checkpoint, {"net": net.state_dict(), "mean": mean.state_dict(), "optimizer": best.state_dict(),
                                "steps": steps, "batch": given.batch, "seconds": spent + time.time() - begun,
                                "seed": given.seed, "curve": curve})

    saved, shown, first = time.time(), time.time(), steps
    smooth: dict[str, float] = {}
    for rgb, *truth in loader:
        now = time.time()
        if now >= end:
            break
        passed = (now - begun) / (end - begun)
        warm = min(1.0, (steps - first + 1) / 150)
        for group in best.param_groups:
            group["lr"] = given.rate * warm * (0.5 + 0.5 * math.cos(math.pi * passed)) + 1e-6
        rgb = rgb.float().div_(127.5).sub_(1).contiguous(memory_format=torch.channels_last)
        value, figures = judge(net, rgb, *truth)
        best.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        best.step()
        steps += 1
        follow(mean, net, steps)
        for name, figure in {"loss": value.item(), **figures}.items():
            smooth[name] = smooth.get(name, figure) * 0.98 + figure * 0.02
        told = ", ".join(f"{name} {figure:.4f}" for name, figure in smooth.items())
        if now - shown > 20:
            print(f"{steps} steps, {steps * given.batch} pictures, {told}, "
                  f"{(steps - first) * given.batch / (now - begun):.0f} per second", flush=True)
            shown = now
        if now - saved > 90:
            curve.append([steps * given.batch, *(round(figure, 4) for figure in smooth.values())])
            checkpoint()
            saved = now
    checkpoint()
    print(f"finished: {steps} steps, {told if smooth else 'none of them now'}", flush=True)
