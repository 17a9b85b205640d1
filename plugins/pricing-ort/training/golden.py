"""Writes golden.json: 200 invented cars with their features and outputs, to prove that Rust agrees with Python."""

import datetime
import json
import sys

import numpy as np
import onnxruntime

import features as F


def invented(encoding, rng):
    """A car made of known words and random numbers; it is no advertisement."""
    models = sorted(encoding["tables"]["model"])
    brand, model = models[rng.integers(len(models))].split("|")
    pick = lambda items: items[rng.integers(len(items))]
    words = [pick(encoding["words"]) for _ in range(rng.integers(0, 6))]
    if rng.random() < 0.5 and encoding["trims"]:
        words.append(pick(encoding["trims"]))
    if rng.random() < 0.5:
        words += [f"{rng.integers(1, 4)}.{rng.integers(0, 10)}", pick(F.ENGINE_WORDS), str(rng.integers(60, 300))]
    on = datetime.date(int(rng.choice([2021, 2022, 2026])), int(rng.integers(1, 9)), 15)
    year, month = int(rng.integers(1996, 2022)), int(rng.integers(0, 13))
    number = lambda low, high: float(rng.integers(low, high)) if rng.random() < 0.8 else F.UNKNOWN
    return {
        "brand": brand, "model": model, "version": " ".join(words), "year": year, "month": float(month) if month else F.UNKNOWN,
        "age": max(0.0, (on.year * 12 + on.month - year * 12 - (month or 7)) / 12.0), "mileage_km": float(rng.integers(0, 300_000)),
        "fuel": pick(F.FUELS + [""]), "gearbox": pick(["manual", "automatic", ""]), "power_hp": number(50, 400), 
        "doors": number(2, 6), "seats": number(2, 8), "body": pick(F.BODIES + [""]), "country": pick(F.COUNTRIES + [""]),
        "on": str(on),
    }


def write(folder):
    encoding = json.load(open(f"{folder}/encoding.json"))
    rng = np.random.default_rng(7)
    cars = [invented(encoding, rng) for _ in range(200)]
    rows = [F.row(car, encoding) for car in cars]
    rows = np.asarray(rows, np.float32)
    run = lambda name: onnxruntime.InferenceSession(f"{folder}/{name}.onnx").run(None, {"input": rows})[0].ravel()
    logs = {name: run(name) for name in ("low", "mid", "high")}
    golden = [
        {"facts": car, "features": [round(float(v), 7) for v in row], "log_price": {k: float(v[n]) for k, v in logs.items()}}
        for n, (car, row) in enumerate(zip(cars, rows))
    ]
    json.dump(golden, open(f"{folder}/golden.json", "w"), separators=(",", ":"), sort_keys=True)


if __name__ == "__main__":
    write(sys.argv[1])
