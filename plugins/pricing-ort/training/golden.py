"""Proves that Rust agrees with Python, with invented cars that are no advertisements.

golden.json: 200 cars with their features and outputs, for the plugin.
asked.json: 60 cars as people describe them and their prices in euros, for whoever asks the API.
"""

import datetime
import json
import sys

import numpy as np
import onnxruntime

import features as F
from package import Package


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


# A day the tests can go to: clocks move forward only.
ASKED_ON = datetime.date(2030, 1, 15)


def described(encoding, rng):
    """A car of a frequent model, as somebody types it in France; its version holds no number that could be its power."""
    frequent = sorted(encoding["tables"]["model"], key=lambda model: -encoding["tables"]["model"][model][1])[:150]
    brand, model = frequent[rng.integers(len(frequent))].split("|")
    words = [word for word in encoding["words"] if word.isalpha() and len(word) > 2]
    pick = lambda items: items[rng.integers(len(items))]
    return {
        "brand": brand, "model": model, "version": " ".join(pick(words) for _ in range(rng.integers(1, 5))),
        "year": int(rng.integers(2014, 2027)), "month": float(rng.integers(1, 13)), "mileage_km": float(rng.integers(5_000, 200_000)),
        "fuel": pick(["petrol", "diesel", "hybrid", "plugin_hybrid"]), "gearbox": pick(["manual", "automatic"]),
        "power_hp": float(rng.integers(70, 200)), "doors": float(pick([3, 5])), "seats": float(pick([5, 7])), "body": "",
        "country": "FR", "on": str(ASKED_ON),
    }


def asked(folder):
    package, rng = Package(folder), np.random.default_rng(11)
    cars = [described(package.encoding, rng) for _ in range(60)]
    for car in cars:
        months = ASKED_ON.year * 12 + ASKED_ON.month - car["year"] * 12 - car["month"]
        car["age"] = max(0.0, months / 12.0)
    (low, mid, high), _ = package.estimate(cars)
    euros = lambda values: dict(zip(("low", "mid", "high"), (round(float(np.exp(value)), 2) for value in values)))
    rows = [{"car": car, "euros": euros(values)} for car, values in zip(cars, np.stack([low, mid, high], axis=1))]
    json.dump(rows, open(f"{folder}/asked.json", "w"), indent=0, sort_keys=True)


def write(folder):
    asked(folder)
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
