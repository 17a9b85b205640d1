"""Trains the plate detector on composed scenes until a given time; started again, it goes on from its checkpoint."""

import torch

from detector import PlateDetector, loss
from loop import options, train
from scenes import Scenes


def judge(net, rgb, heat, corners, exact):
    with torch.autocast("cpu", torch.bfloat16):
        guess = net(rgb)
    return loss(guess.float(), heat, corners, exact), {}


if __name__ == "__main__":
    given = options(__doc__, "folder with backgrounds, car-parts and plates-ro", batch=16)
    torch.manual_seed(given.seed)
    train(given, PlateDetector(), lambda seed: Scenes(given.data, given.fonts, seed), judge)
