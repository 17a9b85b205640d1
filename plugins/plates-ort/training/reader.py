"""The plate reader: convolutions on 4 x 4 pixel blocks, attention, and ten slots that each look at one character."""

import torch
from torch import nn
from torch.nn import functional as F

HIGH, WIDE = 64, 192
SLOTS, CLASSES, BLANK = 10, 37, 36
GRID = (4, 24)
DEEP = 128


def conv(inputs: int, outputs: int, stride=1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Residual(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.body = nn.Sequential(conv(width, width), nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        nn.init.zeros_(self.body[-1].weight)

    def forward(self, x):
        return F.relu(x + self.body(x))


class Mixer(nn.Module):
    """A plain attention layer: which slot a character belongs to depends on all to its left."""

    def __init__(self, width: int, heads: int = 4):
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.keys = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.think = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))

    def forward(self, x):
        width = x.shape[-1]
        q, k, v = self.keys(self.first(x)).view(-1, x.shape[1], 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        look = torch.softmax(q @ k.transpose(-1, -2) * (width // self.heads) ** -0.5, -1)
        x = x + self.out((look @ v).transpose(1, 2).reshape(-1, x.shape[1], width))
        return x + self.think(self.second(x))


class PlateReader(nn.Module):
    """RGB as (value - 0.5) / 0.5, [n, 3, 64, 192], to logits [n, 10, 37] and where each slot looked [n, 10, 96]."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.PixelUnshuffle(4), conv(48, 64), conv(64, 64), conv(64, 96, 2), Residual(96),
            conv(96, DEEP, (2, 1)), Residual(DEEP), Residual(DEEP))
        self.place = nn.Parameter(torch.randn(GRID[0] * GRID[1], DEEP) * 0.1)
        self.context = Mixer(DEEP)
        self.look = nn.Linear(DEEP, SLOTS)
        self.slot = nn.Parameter(torch.randn(SLOTS, DEEP) * 0.1)
        self.agree = Mixer(DEEP)
        self.read = nn.Linear(DEEP, CLASSES)

    def forward(self, rgb):
        x = self.trunk(rgb).flatten(2).transpose(1, 2)
        told = self.context(x + self.place)
        look = self.look(told).transpose(1, 2)
        seen = torch.softmax(look, -1) @ (x + told)
        return self.read(self.agree(seen + self.slot)), look


def loss(logits, look, classes, cells):
    """Reading, plus knowing where every character stands, which makes the slots settle early."""
    reading = F.cross_entropy(logits.flatten(0, 1), classes.flatten(), label_smoothing=0.02)
    looking = F.cross_entropy(look.flatten(0, 1), cells.flatten(), ignore_index=-1)
    return reading + 0.2 * looking
