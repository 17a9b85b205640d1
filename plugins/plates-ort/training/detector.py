"""The plate detector: where the middle of a plate is, on a map of 8 x 8 pixel cells, and where its corners are."""

import torch
from torch import nn
from torch.nn import functional as F

from reader import Residual, conv

HIGH, WIDE, CELL = 384, 512, 8
REACH = 64.0


class Join(nn.Module):
    """Doubles the size of a coarse map and adds the finer one."""

    def __init__(self, coarse: int, fine: int, outputs: int):
        super().__init__()
        self.coarse, self.fine, self.smooth = nn.Conv2d(coarse, outputs, 1), nn.Conv2d(fine, outputs, 1), conv(outputs, outputs)

    def forward(self, coarse, fine):
        return self.smooth(F.relu(F.interpolate(self.coarse(coarse), scale_factor=2.0, mode="nearest") + self.fine(fine)))


class PlateDetector(nn.Module):
    """RGB as (value - 0.5) / 0.5, sides multiples of 32, to [n, 9, h / 8, w / 8]: logit of "a plate's middle is near",
    then x and y of the four corners from the upper left clockwise, from the middle of the cell, in units of REACH."""

    def __init__(self):
        super().__init__()
        self.eighth = nn.Sequential(nn.PixelUnshuffle(4), conv(48, 48), conv(48, 64, 2), Residual(64))
        self.sixteenth = nn.Sequential(conv(64, 80, 2), Residual(80))
        self.deep = nn.Sequential(conv(80, 96, 2), Residual(96), Residual(96))
        self.join16, self.join8 = Join(96, 80, 80), Join(80, 64, 64)
        self.out = nn.Conv2d(64, 9, 1)
        # Almost every cell is empty: starting there keeps the first steps calm.
        nn.init.constant_(self.out.bias[:1], -4.0)

    def forward(self, rgb):
        eighth = self.eighth(rgb)
        sixteenth = self.sixteenth(eighth)
        return self.out(self.join8(self.join16(self.deep(sixteenth), sixteenth), eighth))


def target(quads: list, high: int = HIGH, wide: int = WIDE):
    """Heat (1 in the middle of a plate, in the plate's own coordinates) and corners for every cell."""
    x, y = torch.meshgrid(torch.arange(wide // CELL) + 0.5, torch.arange(high // CELL) + 0.5, indexing="xy")
    cells = torch.stack([x, y], -1) * CELL
    heat, corners = torch.zeros(cells.shape[:2]), torch.zeros(8, *cells.shape[:2])
    for quad in quads:
        quad = torch.as_tensor(quad, dtype=torch.float32)
        middle = quad.mean(0)
        along = ((quad[1] + quad[2]) - (quad[0] + quad[3])) / 2
        across = ((quad[2] + quad[3]) - (quad[0] + quad[1])) / 2
        # Thin plates still deserve a cell or two.
        across = across * max(1.0, 14.0 / (float(across.norm()) + 1e-6))
        along = along * max(1.0, 14.0 / (float(along.norm()) + 1e-6))
        frame = torch.linalg.pinv(torch.stack([along, across], 1))
        own = (cells - middle) @ frame.T
        near = torch.exp(-(own ** 2).sum(-1) / (2 * 0.16 ** 2))
        near = near / near.max().clamp(min=1e-3)
        mine = near > heat
        heat = torch.where(mine, near, heat)
        offsets = ((quad[:, None, None] - cells) / REACH).permute(0, 3, 1, 2).reshape(8, *cells.shape[:2])
        corners = torch.where(mine, offsets, corners)
    return heat, corners


def loss(guess, heat, corners, exact):
    """Focal loss of the heat; corners count near the middles, and only where they are known (`exact`)."""
    logit, found = guess[:, 0], guess[:, 1:]
    sure = torch.sigmoid(logit)
    hit = heat > 0.85
    focal = torch.where(hit, -F.logsigmoid(logit) * (1 - sure) ** 2, -F.logsigmoid(-logit) * sure ** 2 * (1 - heat) ** 4)
    weight = (heat * (heat > 0.3) * exact[:, None, None]).unsqueeze(1)
    # Errors count by the size of the plate: what matters is whether the crop can be read.
    wide = torch.hypot(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]).clamp(min=0.1).unsqueeze(1)
    miss = F.smooth_l1_loss(found / wide, corners / wide, reduction="none", beta=0.03) * weight
    return focal.sum() / hit.sum().clamp(min=1) + 4 * miss.sum() / (8 * weight.sum().clamp(min=1))
