"""Writes a network and its card: checked against torch, measured at that moment, put in place last."""

import argparse
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Callable

import numpy as np
import onnxruntime
import torch


def options(description: str) -> argparse.Namespace:
    ask = argparse.ArgumentParser(description=description)
    ask.add_argument("--checkpoint", type=Path, required=True)
    ask.add_argument("--evaluate", type=Path, required=True, help="folder with labels.csv of real plates")
    ask.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "model")
    return ask.parse_args()


def same(model: Path, product: torch.nn.Module, rgb: torch.Tensor, most: float) -> float:
    """Largest difference between what the file and what torch answer; refuses a file that strays."""
    session = onnxruntime.InferenceSession(str(model))
    with torch.no_grad():
        far = float(np.abs(session.run(None, {"rgb": rgb.numpy()})[0] - product(rgb).numpy()).max())
    if far > most:
        raise SystemExit(f"the exported file differs from torch by {far}")
    return far


def thinned(curve: list, most: int = 24) -> list:
    """Pictures seen, loss and, for the reader, share of drawn plates read exactly: at most so many points."""
    return curve[:: max(1, len(curve) // most)]


def write(given: argparse.Namespace, name: str, net: torch.nn.Module, wrap: Callable, sample: torch.Tensor,
          output: str, free: tuple[dict, dict], most: float, contract: str, about: dict, measure: Callable):
    """`wrap` makes of the network what production calls; `free` are the sides of input and output that may
    change; `sample` proves the file; `measure` takes the file and answers figures, by name."""
    torch.manual_seed(0)
    state = torch.load(given.checkpoint, weights_only=True)
    net.load_state_dict(state["mean"])
    product = wrap(net).eval()
    given.out.mkdir(parents=True, exist_ok=True)
    fresh = given.out / f"{name}.tmp.onnx"
    torch.onnx.export(product, (torch.zeros_like(sample),), str(fresh), opset_version=17, input_names=["rgb"],
                      output_names=[output], dynamic_axes={"rgb": free[0], output: free[1]}, dynamo=False)
    figures = measure(fresh)
    card = {
        "model": name,
        "version": f"{datetime.now(UTC):%Y.%m.%d}-{state['steps']}",
        "contract": contract,
        "file": f"{name}.onnx",
        "sha256": hashlib.sha256(fresh.read_bytes()).hexdigest(),
        "licence": "LicenseRef-Keroxio-Proprietary",
        **about,
        "parameters": sum(p.numel() for p in net.parameters()),
        "command": "see training/README.md",
        "seed": state["seed"],
        "training": {"steps": state["steps"], "pictures": state["steps"] * state["batch"],
                     "seconds": round(state["seconds"])},
        "curve": thinned(state.get("curve", [])),
        "difference_to_torch": same(fresh, product, sample, most),
        **figures,
        "exported_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    os.replace(fresh, given.out / card["file"])
    # Half precision is enough to go on from, where the checkpoint with its moments is gone.
    halves = {key: value.half() if value.is_floating_point() else value for key, value in state["mean"].items()}
    weights = given.out.resolve().parent / "training" / "weights"
    weights.mkdir(parents=True, exist_ok=True)
    torch.save(halves, weights / f"{name}.pt")
    (given.out / f"{name}.json").write_text(json.dumps(card, indent=2) + "\n")
    print(json.dumps(figures))
