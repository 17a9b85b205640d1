"""Writes model/plate-detector.onnx from a checkpoint, and its figures into plate-detector.json."""

import torch

from detector import CELL, HIGH, REACH, WIDE, PlateDetector
from evaluate_detector import LONGEST, measure
from product import options, write

ABOUT = {
    "input": {"name": "rgb", "shape": ["n", 3, "h", "w"],
              "range": f"-1 to 1: (value / 255 - 0.5) / 0.5, RGB, longer side {LONGEST}, padded right and below "
                       "with 128 to multiples of 32"},
    "output": {"name": "map", "shape": ["n", 9, f"h / {CELL}", f"w / {CELL}"],
               "range": "0: probability that the middle of a plate is near; 1 to 8: x, y of the corners from the "
                        f"upper left clockwise, from the middle of the cell, in units of {REACH:.0f} pixels"},
    "data": [
        "car-parts: 400 photos (in_eval_masks = no; their own plates are blurred or blank) with drawn plates put on; "
        "no licence stated, research",
        "plates-ro: 179 photos with 216 boxes (MIT); they teach where plates are, not their corners",
        "backgrounds: every second of 509 house fronts; no licence stated, citation asked (Ahmed and Moustafa 2016)",
    ],
    "licence_note": "Some photos carry no explicit open licence: clear this before the weights leave the company.",
}


class Product(torch.nn.Module):
    """The network as production calls it: the heat as a probability."""

    def __init__(self, net: PlateDetector):
        super().__init__()
        self.net = net

    def forward(self, rgb):
        out = self.net(rgb)
        return torch.cat([torch.sigmoid(out[:, :1]), out[:, 1:]], 1)


if __name__ == "__main__":
    given = options(__doc__)
    free = {0: "n", 2: "h", 3: "w"}
    # Proved on a portrait: sides may differ.
    write(given, "plate-detector", PlateDetector(), Product, torch.rand(2, 3, WIDE, HIGH) * 2 - 1, "map", (free, free),
          1e-3, "plate-corners", ABOUT, lambda model: {"whole_photos": measure(model, given.evaluate, given.out / "plate-reader.onnx")})
