"""Writes model/plate-reader.onnx and its card.json from a checkpoint, measured on photos not trained on."""

import argparse
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from evaluate import measure
from flat_plates import ALPHABET
from reader import CLASSES, HIGH, SLOTS, WIDE, PlateReader

DATA = [
    "drawn plates only (flat_plates.py): French SIV, FNI, W and WW, collection, and European patterns",
    "backgrounds and every second photo of car-parts as surroundings and non-plates; no photo of a readable plate",
]


class Product(torch.nn.Module):
    """The network as production calls it: probabilities instead of logits, without where it looked."""

    def __init__(self, net: PlateReader):
        super().__init__()
        self.net = net

    def forward(self, rgb):
        return torch.softmax(self.net(rgb)[0], -1)


def same(model: Path, product: Product) -> float:
    """Largest difference between what the file and what torch answer; refuses a file that strays."""
    rgb = torch.rand(5, 3, HIGH, WIDE) * 2 - 1
    session = onnxruntime.InferenceSession(str(model))
    with torch.no_grad():
        far = float(np.abs(session.run(None, {"rgb": rgb.numpy()})[0] - product(rgb).numpy()).max())
    if far > 1e-4:
        raise SystemExit(f"the exported file differs from torch by {far}")
    return far


def main():
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--checkpoint", type=Path, required=True)
    ask.add_argument("--evaluate", type=Path, required=True, help="folder with labels.csv of real plates")
    ask.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "model")
    given = ask.parse_args()
    torch.manual_seed(0)
    state = torch.load(given.checkpoint, weights_only=True)
    net = PlateReader()
    net.load_state_dict(state["mean"])
    product = Product(net).eval()
    given.out.mkdir(parents=True, exist_ok=True)
    fresh = given.out / "plate-reader.tmp.onnx"
    torch.onnx.export(product, (torch.zeros(2, 3, HIGH, WIDE),), str(fresh), opset_version=17, input_names=["rgb"],
                      output_names=["slots"], dynamic_axes={"rgb": {0: "n"}, "slots": {0: "n"}}, dynamo=False)
    card = {
        "model": "plate-reader",
        "file": "plate-reader.onnx",
        "sha256": hashlib.sha256(fresh.read_bytes()).hexdigest(),
        "licence": "LicenseRef-Keroxio-Proprietary",
        "input": {"name": "rgb", "shape": ["n", 3, HIGH, WIDE],
                  "range": "-1 to 1: (value / 255 - 0.5) / 0.5, RGB, the plate stretched to the whole crop"},
        "output": {"name": "slots", "shape": ["n", SLOTS, CLASSES],
                   "range": "probabilities; text from the left, then blanks; bands and departments of SIV left out",
                   "classes": ALPHABET + " (36 = blank)"},
        "parameters": sum(p.numel() for p in net.parameters()),
        "data": DATA,
        "fonts": "OSP-DIN (OFL), Roadgeek 2014, Liberation, DejaVu; none of them is shipped",
        "command": "see training/README.md",
        "seed": state["seed"],
        "training": {"steps": state["steps"], "crops": state["steps"] * state["batch"],
                     "seconds": round(state["seconds"])},
        "difference_to_torch": same(fresh, product),
        "true_box_crops": measure(fresh, given.evaluate),
        "exported_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    os.replace(fresh, given.out / card["file"])
    (given.out / "card.json").write_text(json.dumps(card, indent=2) + "\n")
    print(json.dumps(card["true_box_crops"]))


if __name__ == "__main__":
    main()
