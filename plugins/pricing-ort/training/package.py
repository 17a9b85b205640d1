"""A price model as it is shipped: the same estimate as `src/model.rs` gives, without the rounding of money."""

import json

import numpy as np
import onnxruntime

import features as F


def band(value, edges):
    return sum(value >= e for e in edges)


def group(age, price, fuel, calibration):
    """The ads that an interval is calibrated with."""
    cell = f"{band(age, calibration['age_bands'])}:{band(price, calibration['price_bands'])}"
    return cell + (":electric" if fuel == "electric" else "")


class Package:
    def __init__(self, folder):
        self.encoding = json.load(open(f"{folder}/encoding.json"))
        self.calibration = json.load(open(f"{folder}/calibration.json"))
        self.sessions = {name: onnxruntime.InferenceSession(f"{folder}/{name}.onnx") for name in ("low", "mid", "high")}

    def estimate(self, cars):
        """Logarithms of low, mid and high, one row a car; and the group of each."""
        rows = np.asarray([F.row(car, self.encoding) for car in cars], np.float32)
        run = lambda name: self.sessions[name].run(None, {"input": rows})[0].ravel().astype(float)
        low, mid, high = run("low"), run("mid"), run("high")
        groups = [group(c["age"], p, c["fuel"], self.calibration) for c, p in zip(cars, np.exp(mid))]
        margin = np.array([self.margin(g, c) for g, c in zip(groups, cars)])
        low, high = np.minimum(mid + np.minimum(low, 0) - margin, mid), np.maximum(mid + np.maximum(high, 0) + margin, mid)
        return np.stack([low, mid, high]), np.array(groups)

    def margin(self, group, car):
        margins = self.calibration["margins"]
        own = margins.get(group, margins[""])
        ads = self.encoding["tables"]["model"].get(f"{car['brand']}|{car['model']}", (0, 0))[1]
        floor = "unknown" if ads == 0 else "rare" if ads < self.calibration["rare"] else ""
        return max(own, margins[floor]) if floor else own


def figures(y, low, mid, high, mask):
    """How good estimates are: errors in percent, shares from 0 to 1."""
    if mask.sum() == 0:
        return {}
    signed = (np.exp(mid - y) - 1)[mask]
    ape = np.abs(signed)
    inside = ((y >= low) & (y <= high))[mask]
    width = ((np.exp(high) - np.exp(low)) / np.exp(mid))[mask]
    return {
        "n": int(mask.sum()), "median_ape": round(float(np.median(ape)) * 100, 2), "mape": round(float(ape.mean()) * 100, 2),
        "within_10": round(float((ape <= 0.1).mean()), 4), "within_20": round(float((ape <= 0.2).mean()), 4),
        "bias": round(float(np.median(signed)) * 100, 2), "coverage_80": round(float(inside.mean()), 4),
        "mean_width": round(float(width.mean()), 4),
    }
