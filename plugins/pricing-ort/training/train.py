"""Trains the price model: python train.py --ads DIR --out ../model

DIR holds ads_eur_*.csv.gz, model_aliases.csv.gz and trim_tokens.txt. About ten minutes on two cores.
"""

import argparse
import datetime
import glob
import hashlib
import json
import math
import os
from collections import Counter, defaultdict

import lightgbm as lgb
import numpy as np
import onnxruntime
import pandas as pd
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

import features as F
import golden

SEED = 20261124
TREES = int(os.environ.get("TREES", "450"))
AGE_BANDS = [3, 8, 12]
PRICE_BANDS = [10_000, 20_000, 40_000]
BRAND_ALIASES = {
    "vw": "volkswagen", "mercedes benz": "mercedes", "mercedesbenz": "mercedes", "citroen ds": "ds",
    "ds automobiles": "ds", "landrover": "land rover", "alfa": "alfa romeo", "rangerover": "land rover",
}


def load(folder):
    frames = [pd.read_csv(path, dtype={"region": str}, low_memory=False) for path in sorted(glob.glob(f"{folder}/ads_eur_*.csv.gz"))]
    ads = pd.concat(frames, ignore_index=True)
    key = zip(ads["brand"], ads["model"], ads["year"], ads["month"], ads["mileage_km"])
    ads["split"] = [int(hashlib.sha1("|".join(map(str, k)).encode()).hexdigest(), 16) % 100 for k in key]
    return ads


def cars(ads):
    """Plain dictionaries with normalised texts; unknown numbers are -1."""
    out = []
    number = lambda v: float(v) if v == v else F.UNKNOWN
    text = lambda v: v if isinstance(v, str) else ""
    for a in ads.itertuples():
        on = datetime.date.fromisoformat(a.ad_date[:10])
        month = int(a.month) if a.month == a.month else 0
        registered = a.year * 12 + (month or 7)
        out.append({
            "brand": F.normalise(text(a.brand)), "model": F.normalise(text(a.model)), "version": F.normalise(text(a.version)),
            "year": int(a.year), "month": float(month) if month else F.UNKNOWN,
            "age": max(0.0, (on.year * 12 + on.month - registered) / 12.0), "mileage_km": float(a.mileage_km),
            "fuel": text(a.fuel), "gearbox": text(a.gearbox), "power_hp": number(a.power_hp), "fiscal_hp": number(a.fiscal_hp),
            "doors": number(a.doors), "seats": number(a.seats), "body": text(a.body), "country": text(a.country),
            "months": float((on.year - 2020) * 12 + on.month), "on": str(on),
        })
    return out


def tables_of(car_keys, residuals, index):
    tables = {level: defaultdict(lambda: [0.0, 0]) for level in F.LEVELS}
    for i in index:
        for level in F.LEVELS:
            cell = tables[level][car_keys[i][level]]
            cell[0] += residuals[i]
            cell[1] += 1
    return {level: {k: (round(v[0], 5), v[1]) for k, v in table.items()} for level, table in tables.items()}


def matrix(all_cars, car_keys, residuals, train, words):
    """Encodings are out of fold on the training rows, so that the model does not trust rare cells too much."""
    full = tables_of(car_keys, residuals, train)
    overall = float(np.mean(residuals[train]))
    fold_of = {i: n % 5 for n, i in enumerate(train)}
    folds = [tables_of(car_keys, residuals, [i for i in train if fold_of[i] != f]) for f in range(5)]
    rows = []
    for i, car in enumerate(all_cars):
        tables = folds[fold_of[i]] if i in fold_of else full
        enc = F.encoded(car_keys[i], tables, overall)
        rows.append(F.row(car, enc, tables["model"].get(car_keys[i]["model"], (0, 0))[1], words))
    return np.asarray(rows, np.float32), full, overall


def fit(x, y, weight, names, alpha=None):
    monotone = [-1 if n in ("age", "km") else 0 for n in names]
    params = {
        "objective": "quantile" if alpha else "l1", "num_leaves": 95, "learning_rate": 0.06, "min_data_in_leaf": 20,
        "feature_fraction": 0.6, "bagging_fraction": 0.8, "bagging_freq": 1, "monotone_constraints": monotone,
        "monotone_constraints_method": "intermediate", "use_missing": False, "verbose": -1, "seed": SEED,
        "num_threads": 2, "max_bin": 255, "deterministic": True,
    }
    if alpha:
        # LightGBM has no monotone quantiles; the ends only widen the monotone middle.
        params["alpha"] = alpha
        del params["monotone_constraints"], params["monotone_constraints_method"]
    else:
        params["objective"] = "huber"
        params["alpha"] = 0.2
    return lgb.train(params, lgb.Dataset(x, y, weight=weight), TREES if not alpha else TREES * 2 // 3)


def export(model, width, path):
    onnx = convert_lightgbm(model, initial_types=[("input", FloatTensorType([None, width]))], target_opset=15)
    open(path, "wb").write(onnx.SerializeToString())
    return onnxruntime.InferenceSession(path)


def band(value, edges):
    return sum(value >= e for e in edges)


def group(age, price):
    return f"{band(age, AGE_BANDS)}:{band(price, PRICE_BANDS)}"


def margins(groups, score):
    """How far the quantile models have to be widened for 80 % coverage, per group of at least 200."""
    out = {"": float(np.quantile(score, 0.8))}
    for g in sorted(set(groups)):
        mine = score[groups == g]
        if len(mine) >= 200:
            out[g] = float(np.quantile(mine, 0.8))
    return out


def figures(y, low, mid, high, mask):
    if mask.sum() == 0:
        return {}
    ape = np.abs(np.exp(mid - y) - 1)[mask]
    signed = (np.exp(mid - y) - 1)[mask]
    inside = ((y >= low) & (y <= high))[mask]
    width = ((np.exp(high) - np.exp(low)) / np.exp(mid))[mask]
    return {
        "n": int(mask.sum()), "median_ape": round(float(np.median(ape)) * 100, 2), "mape": round(float(ape.mean()) * 100, 2),
        "within_10": round(float((ape <= 0.1).mean()), 4), "within_20": round(float((ape <= 0.2).mean()), 4),
        "bias": round(float(np.median(signed)) * 100, 2), "coverage_80": round(float(inside.mean()), 4),
        "mean_width": round(float(width.mean()), 4),
    }


def vocabulary(all_cars, train, count=120):
    seen = Counter(w for i in train for w in set(all_cars[i]["version"].split()))
    return [w for w, n in seen.most_common(count) if len(w) > 1]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--ads", required=True)
    options.add_argument("--out", default="../model")
    options = options.parse_args()
    ads = load(options.ads)
    all_cars = cars(ads)
    price = ads["price"].to_numpy(float)
    y = np.log(price)
    split = ads["split"].to_numpy()
    train = np.flatnonzero(split >= 25)
    calibration, test = (split >= 15) & (split < 25), split < 15
    trims = sorted({F.normalise(t) for t in open(f"{options.ads}/trim_tokens.txt")} - {""}, key=lambda t: (-len(t), t))
    words = vocabulary(all_cars, train)
    car_keys = [F.keys(c, trims) for c in all_cars]
    age = np.array([c["age"] for c in all_cars])
    km = np.array([c["mileage_km"] for c in all_cars]) / 1000.0
    design = np.stack([np.ones_like(age), age, age ** 2, km], 1)
    coefficients, *_ = np.linalg.lstsq(design[train], y[train], rcond=None)
    residuals = y - design @ coefficients
    x, tables, overall = matrix(all_cars, car_keys, residuals, train, words)
    names = F.names(words)
    french = (ads["country"] == "FR").to_numpy()
    weight = np.ones(len(y)) * np.where(french, 1.6, 1.0) * np.where(age > 10, 1.8, 1.0) * np.where(price < 10_000, 1.5, 1.0)
    weight *= np.where(ads["ad_date"].str[:4].to_numpy() == "2026", 1.5, 1.0)
    print(x.shape, len(train), flush=True)
    os.makedirs(options.out, exist_ok=True)
    outputs = {}
    for name, alpha in [("mid", None), ("low", 0.1), ("high", 0.9)]:
        model = fit(x[train], y[train], weight[train], names, alpha)
        session = export(model, x.shape[1], f"{options.out}/{name}.onnx")
        outputs[name] = session.run(None, {"input": x})[0].ravel()
        print(name, "largest difference to LightGBM", np.abs(outputs[name][:5000] - model.predict(x[:5000])).max(), flush=True)
    mid, low, high = outputs["mid"], np.minimum(outputs["low"], outputs["mid"]), np.maximum(outputs["high"], outputs["mid"])
    groups = np.array([group(a, p) for a, p in zip(age, np.exp(mid))])
    widen = margins(groups[calibration], np.maximum(low - y, y - high)[calibration])
    margin = np.array([widen.get(g, widen[""]) for g in groups])
    low, high = np.minimum(low - margin, mid), np.maximum(high + margin, mid)
    width = (np.exp(high) - np.exp(low)) / np.exp(mid)
    edges = [0.16, 0.20, 0.25, 0.32, 0.45, 0.60]
    ape = np.abs(np.exp(mid - y) - 1)
    held = calibration | test
    classes = np.array([band(w, edges) for w in width])
    within = [round(float((ape[held & (classes == c)] <= 0.1).mean()), 3) for c in range(len(edges) + 1)]
    fr_2026 = french & (ads["source"] == "as24_2026").to_numpy()
    masks = {"all": test, "fr_2026": test & fr_2026, "fr": test & french, "over_10_years": test & (age > 10),
             "under_10000": test & (price < 10_000), "electric": test & (ads["fuel"] == "electric").to_numpy()}
    metrics = {k: figures(y, low, mid, high, m) for k, m in masks.items()}
    print(json.dumps(metrics, indent=1), flush=True)
    save(options, ads, all_cars, x, outputs, names, words, trims, tables, overall, coefficients, widen, edges, within, metrics, train)


def save(options, ads, all_cars, x, outputs, names, words, trims, tables, overall, coefficients, widen, edges, within, metrics, train):
    brands = {b: sorted({k.split("|")[1] for k in tables["model"] if k.startswith(f"{b}|")}) for b in tables["brand"]}
    encoding = {
        "features": names, "words": words, "trims": trims, "fuels": F.FUELS, "bodies": F.BODIES, "countries": F.COUNTRIES,
        "levels": F.LEVELS, "smoothing": F.SMOOTHING, "overall": overall, "brand_aliases": BRAND_ALIASES,
        "brands": brands,
        "tables": {level: {k: v for k, v in table.items() if v[1] > 1 or level in ("brand", "model")} for level, table in tables.items()},
        "median_km_by_age": [float(ads.loc[(ads["age_years"] >= a) & (ads["age_years"] < a + 1), "mileage_km"].median()) for a in range(26)],
    }
    calibration = {"age_bands": AGE_BANDS, "price_bands": PRICE_BANDS, "margins": widen, "width_edges": edges, "within_10_by_width": within}
    for name, value in [("encoding", encoding), ("calibration", calibration)]:
        json.dump(value, open(f"{options.out}/{name}.json", "w"), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    files = ["mid.onnx", "low.onnx", "high.onnx", "encoding.json", "calibration.json"]
    digest = lambda f: hashlib.sha256(open(f"{options.out}/{f}", "rb").read()).hexdigest()
    card = {
        "name": "keroxio-price", "version": datetime.date.today().isoformat(), "seed": SEED, "trees": TREES,
        "command": "python train.py --ads DIR --out ../model", "data_from": str(ads["ad_date"].min())[:10],
        "data_until": str(ads["ad_date"].max())[:10], "rows": len(ads), "rows_trained_on": len(train),
        "licence": "LicenseRef-Keroxio-Model: weights by our code; the ads were collected without an open-data licence, see README",
        "held_out": metrics, "held_out_note": "15 % of the open rows by car key, never trained on or calibrated on",
        "sha256": {f: digest(f) for f in files},
    }
    json.dump(card, open(f"{options.out}/card.json", "w"), indent=1, ensure_ascii=False)
    golden.write(options.out)
    print("saved", {f: os.path.getsize(f"{options.out}/{f}") for f in files}, flush=True)


if __name__ == "__main__":
    main()
