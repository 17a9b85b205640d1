"""Trains the matting network until a given time; started again, it goes on from its checkpoint."""

import argparse
import copy
import datetime
import math
import os
import time
from pathlib import Path

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader

from backbone import imagenet_file
from net import CarMatte, loss
from scenes import Scenes

SMALL_SIDE = 224


def deadline(text: str) -> float:
    """The next moment that the clock shows HH:MM, as seconds since 1970."""
    now = datetime.datetime.now()
    hour, minute = map(int, text.split(":"))
    end = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (end if end > now else end + datetime.timedelta(days=1)).timestamp()


def save(path: Path, state: dict):
    torch.save(state, path.with_suffix(".tmp"))
    os.replace(path.with_suffix(".tmp"), path)


@torch.no_grad()
def follow(mean: torch.nn.Module, net: torch.nn.Module, steps: int):
    """Moving average of the weights; short at first, so that the random start is soon forgotten."""
    keep = min(0.998, (1 + steps) / (10 + steps))
    for average, value in zip(mean.state_dict().values(), net.state_dict().values()):
        if average.dtype.is_floating_point:
            average.lerp_(value, 1 - keep)
        else:
            average.copy_(value)


def main():
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--cache", type=Path, required=True, help="folder written by prepare.py")
    ask.add_argument("--checkpoint", type=Path, required=True)
    ask.add_argument("--until", help="clock time HH:MM; otherwise --minutes counts")
    ask.add_argument("--minutes", type=float, default=120)
    ask.add_argument("--small-share", type=float, default=0.6,
                     help="first part of the time given to 224-pixel pictures, twice as many")
    ask.add_argument("--batch", type=int, default=16)
    ask.add_argument("--rate", type=float, default=1.5e-3)
    ask.add_argument("--threads", type=int, default=2)
    ask.add_argument("--seed", type=int, default=20261124)
    given = ask.parse_args()
    begun = time.time()
    end = deadline(given.until) if given.until else begun + 60 * given.minutes
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)

    net = CarMatte()
    if not given.checkpoint.exists():
        net.backbone.load_imagenet(imagenet_file())
    net = net.to(memory_format=torch.channels_last)
    net.backbone.freeze()
    # What the backbone already knows is changed more slowly than what starts at random.
    known = {id(p) for p in net.backbone.parameters()}
    new = [p for p in net.parameters() if id(p) not in known]
    best = torch.optim.AdamW([{"params": list(net.backbone.parameters()), "share": 0.4}, {"params": new, "share": 1.0}],
                             lr=given.rate, weight_decay=0.01)
    mean, steps, spent = copy.deepcopy(net), 0, 0.0
    if given.checkpoint.exists():
        state = torch.load(given.checkpoint, weights_only=True)
        net.load_state_dict(state["net"])
        mean.load_state_dict(state["mean"])
        best.load_state_dict(state["optimizer"])
        steps, spent = state["steps"], state["seconds"]
    scenes = Scenes(given.cache, given.seed + steps)
    loader = DataLoader(scenes, given.batch, num_workers=1, prefetch_factor=8)

    def checkpoint():
        save(given.checkpoint, {"net": net.state_dict(), "mean": mean.state_dict(),
                                "optimizer": best.state_dict(), "steps": steps, "batch": given.batch,
                                "seconds": spent + time.time() - begun, "seed": given.seed})

    saved, shown, total = time.time(), time.time(), 0.0
    first = steps
    for rgb, truth in loader:
        now = time.time()
        if now >= end:
            break
        passed = (now - begun) / (end - begun)
        warm = min(1.0, (steps - first + 1) / 100)
        for group in best.param_groups:
            group["lr"] = given.rate * group["share"] * warm * (0.5 + 0.5 * math.cos(math.pi * passed)) + 1e-6
        rgb, truth = rgb.float().div_(255), truth.float().div_(255)
        if passed < given.small_share:
            rgb, truth = (F.interpolate(x, size=(SMALL_SIDE, SMALL_SIDE), mode="area") for x in (rgb, truth))
        rgb = rgb.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(rgb)
        value = loss(logits.float(), truth)
        best.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        best.step()
        steps += 1
        follow(mean, net, steps)
        total = value.item() if steps == first + 1 else 0.98 * total + 0.02 * value.item()
        if now - shown > 60:
            print(f"{steps} steps, {steps * given.batch} pictures, loss {total:.4f}", flush=True)
            shown = now
        if now - saved > 180:
            checkpoint()
            saved = now
    checkpoint()
    print(f"finished: {steps} steps, loss {total:.4f}", flush=True)


if __name__ == "__main__":
    main()
