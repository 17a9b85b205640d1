"""Trains the plate reader on drawn plates until a given time; started again, it goes on from its checkpoint."""

import torch

from crops import Crops
from loop import options, train
from reader import PlateReader, loss


def judge(net, rgb, classes, cells):
    with torch.autocast("cpu", torch.bfloat16):
        logits, look = net(rgb)
    right = (logits.argmax(-1) == classes).all(-1).float().mean().item()
    return loss(logits.float(), look.float(), classes, cells), {"exact": right}


if __name__ == "__main__":
    given = options(__doc__, "folder with backgrounds and car-parts: surroundings only", batch=64)
    torch.manual_seed(given.seed)
    train(given, PlateReader(), lambda seed: Crops(given.data, given.fonts, seed), judge)
