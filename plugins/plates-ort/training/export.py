"""Writes model/plate-reader.onnx and plate-reader.json from a checkpoint, measured on photos not trained on."""

import torch

from evaluate import measure
from flat_plates import ALPHABET
from product import options, write
from reader import CLASSES, HIGH, SLOTS, WIDE, PlateReader

ABOUT = {
    "input": {"name": "rgb", "shape": ["n", 3, HIGH, WIDE],
              "range": "-1 to 1: (value / 255 - 0.5) / 0.5, RGB, the plate stretched to the whole crop"},
    "output": {"name": "slots", "shape": ["n", SLOTS, CLASSES],
               "range": "probabilities; text from the left, then blanks; bands and departments of SIV left out",
               "classes": ALPHABET + " (36 = blank)"},
    "data": [
        "drawn plates only (flat_plates.py): French SIV, FNI, W and WW, collection, and European patterns",
        "backgrounds and every second photo of car-parts as surroundings and non-plates; no photo of a readable plate",
    ],
    "fonts": "OSP-DIN (OFL), Roadgeek 2014, Liberation, DejaVu; none of them is shipped",
}


class Product(torch.nn.Module):
    """The network as production calls it: probabilities instead of logits, without where it looked."""

    def __init__(self, net: PlateReader):
        super().__init__()
        self.net = net

    def forward(self, rgb):
        return torch.softmax(self.net(rgb)[0], -1)


if __name__ == "__main__":
    given = options(__doc__)
    write(given, "plate-reader", PlateReader(), Product, torch.rand(5, 3, HIGH, WIDE) * 2 - 1, "slots",
          ({0: "n"}, {0: "n"}), 1e-4, "plate-slots", ABOUT, lambda model: {"true_box_crops": measure(model, given.evaluate)})
