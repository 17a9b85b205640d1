"""Writes model/plate-detector.onnx from a checkpoint, and its figures into detector-card.json."""

import argparse
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from detector import CELL, HIGH, REACH, WIDE, PlateDetector
from evaluate_detector import LONGEST, measure

DATA = [
    "car-parts: 400 photos (in_eval_masks = no; their own plates are blurred or blank) with drawn plates put on; "
    "no licence stated, research",
    "plates-ro: 179 photos with 216 boxes (MIT); they teach where plates are, not their corners",
    "backgrounds: every second of 509 house fronts; no licence stated, citation asked (Ahmed and Moustafa 2016)",
]


class Product(torch.nn.Module):
    """The network as production calls it: the heat as a probability."""

    def __init__(self, net: PlateDetector):
        super().__init__()
        self.net = net

    def forward(self, rgb):
        out = self.net(rgb)
        return torch.cat([torch.sigmoid(out[:, :1]), out[:, 1:]], 1)


def same(model: Path, product: Product) -> float:
    """Largest difference between what the file and what torch answer, on a portrait: sides may differ."""
    rgb = torch.rand(2, 3, WIDE, HIGH) * 2 - 1
    session = onnxruntime.InferenceSession(str(model))
    with torch.no_grad():
        far = float(np.abs(session.run(None, {"rgb": rgb.numpy()})[0] - product(rgb).numpy()).max())
    if far > 1e-3:
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
    net = PlateDetector()
    net.load_state_dict(state["mean"])
    product = Product(net).eval()
    given.out.mkdir(parents=True, exist_ok=True)
    fresh = given.out / "plate-detector.tmp.onnx"
    free = {0: "n", 2: "h", 3: "w"}
    torch.onnx.export(product, (torch.zeros(1, 3, HIGH, WIDE),), str(fresh), opset_version=17, input_names=["rgb"],
                      output_names=["map"], dynamic_axes={"rgb": free, "map": free}, dynamo=False)
    card = {
        "model": "plate-detector",
        "file": "plate-detector.onnx",
        "sha256": hashlib.sha256(fresh.read_bytes()).hexdigest(),
        "licence": "LicenseRef-Keroxio-Proprietary",
        "input": {"name": "rgb", "shape": ["n", 3, "h", "w"],
                  "range": f"-1 to 1: (value / 255 - 0.5) / 0.5, RGB, longer side {LONGEST}, padded right and below "
                           "with 128 to multiples of 32"},
        "output": {"name": "map", "shape": ["n", 9, f"h / {CELL}", f"w / {CELL}"],
                   "range": "0: probability that the middle of a plate is near; 1 to 8: x, y of the corners from the "
                            f"upper left clockwise, from the middle of the cell, in units of {REACH:.0f} pixels"},
        "parameters": sum(p.numel() for p in net.parameters()),
        "data": DATA,
        "licence_note": "Some photos carry no explicit open licence: clear this before the weights leave the company.",
        "command": "see training/README.md",
        "seed": state["seed"],
        "training": {"steps": state["steps"], "pictures": state["steps"] * state["batch"],
                     "seconds": round(state["seconds"])},
        "difference_to_torch": same(fresh, product),
        "whole_photos": measure(fresh, given.evaluate, given.out / "plate-reader.onnx"),
        "exported_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    os.replace(fresh, given.out / card["file"])
    (given.out / "detector-card.json").write_text(json.dumps(card, indent=2) + "\n")
    print(json.dumps(card["whole_photos"]))


if __name__ == "__main__":
    main()
