"""The matting network: the backbone's five maps, joined from the coarsest to the finest."""

import torch
from torch import nn
from torch.nn import functional as F

from backbone import Backbone

SIDE = 320


def conv(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.body = nn.Sequential(
            conv(width, width),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        nn.init.zeros_(self.body[-1].weight)

    def forward(self, x):
        return F.relu(x + self.body(x))


class Context(nn.Module):
    """Tells every place what the whole photo shows: which car is the main one needs that."""

    def __init__(self, width: int):
        super().__init__()
        self.mix = nn.Conv2d(width, width, 1)

    def forward(self, x):
        return F.relu(x + self.mix(x.mean((2, 3), keepdim=True)))


class Join(nn.Module):
    """Doubles the size of a coarse map and adds the finer one of the encoder."""

    def __init__(self, coarse: int, fine: int, outputs: int):
        super().__init__()
        self.coarse = nn.Conv2d(coarse, outputs, 1)
        self.fine = nn.Conv2d(fine, outputs, 1)
        self.smooth = nn.Sequential(conv(outputs, outputs), Residual(outputs))

    def forward(self, coarse, fine):
        coarse = F.interpolate(self.coarse(coarse), scale_factor=2.0, mode="nearest")
        return self.smooth(F.relu(coarse + self.fine(fine)))


class CarMatte(nn.Module):
    """RGB from 0 to 1, [n, 3, side, side] (side a multiple of 32), to logits of "car", [n, 1, side, side]."""

    def __init__(self):
        super().__init__()
        self.backbone = Backbone()
        self.deep = nn.Sequential(conv(320, 128, kernel=1), Residual(128), Context(128), Residual(128))
        self.join16 = Join(128, 112, 96)
        self.join8 = Join(96, 40, 64)
        self.join4 = Join(64, 24, 48)
        self.to_half = nn.Sequential(nn.Conv2d(48, 64, 1), nn.PixelShuffle(2))
        self.finest = nn.Conv2d(16, 16, 1)
        self.edge = nn.Sequential(nn.ReLU(inplace=True), conv(16, 24), conv(24, 24))
        self.out = nn.Sequential(nn.Conv2d(24, 4, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, rgb):
        half, quarter, eighth, sixteenth, deep = self.backbone(rgb * (255 / 128) - 127 / 128)
        x = self.join16(self.deep(deep), sixteenth)
        x = self.join4(self.join8(x, eighth), quarter)
        return self.out(self.edge(self.to_half(x) + self.finest(half)))


def loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Cross-entropy that counts the outline four times, plus soft IoU per photo."""
    inner = -F.max_pool2d(-truth, 9, 1, 4)
    outer = F.max_pool2d(truth, 9, 1, 4)
    weight = 1 + 3 * (outer - inner)
    cross = F.binary_cross_entropy_with_logits(logits, truth, weight=weight)
    guess = torch.sigmoid(logits)
    both = (guess * truth).sum((1, 2, 3))
    either = (guess + truth - guess * truth).sum((1, 2, 3))
    has_car = (truth.sum((1, 2, 3)) > 1).float()
    return cross + ((1 - both / (either + 1)) * has_car).mean()
