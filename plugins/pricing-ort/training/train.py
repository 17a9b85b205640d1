"""Trains the price model: python train.py --ads DIR --out ../model

DIR holds ads_eur_*.csv.gz and trim_tokens.txt. A few minutes on two cores.
"""

import argparse
import datetime
import glob
import hashlib
import json
import math
import os
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor

import lightgbm as lgb
import numpy as np
import onnxruntime
import pandas as pd
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

import features as F
import golden

SEED = 20261124
THREADS = 1
RARE = 30
WIDTH_EDGES = [0.16, 0.20, 0.25, 0.32, 0.45, 0.60]
TREES = int(os.environ.get("TREES", "1000"))
AGE_BANDS = [3, 6, 10]
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
            "brand": F.normalise(text(a.brand)), "model": F.normalise(text(a.model)), "version": F.unglue(F.normalise(text(a.version))),
            "year": int(a.year), "month": float(month) if month else F.UNKNOWN,
            "age": max(0.0, (on.year * 12 + on.month - registered) / 12.0), "mileage_km": float(a.mileage_km),
            "fuel": text(a.fuel), "gearbox": text(a.gearbox), "power_hp": number(a.power_hp), 
            "doors": number(a.doors), "seats": number(a.seats), "body": text(a.body), "country": text(a.country),
            "on": str(on),
        })
    return out


def design(all_cars):
    age, km = np.array([c["age"] for c in all_cars]), np.array([c["mileage_km"] for c in all_cars]) / 1000.0
    return np.stack([np.ones_like(age), age, age ** 2, km, np.sqrt(km)], 1)


def sums(pairs):
    table = defaultdict(lambda: [0.0, 0])
    for key, value in pairs:
        cell = table[key]
        cell[0] += value
        cell[1] += 1
    return table


def rising(steps):
    """Pool adjacent violators: the nearest levels that never fall with the registration year."""
    pools = []
    for first, value, count in steps:
        pools.append([first, value, count])
        while len(pools) > 1 and pools[-2][1] > pools[-1][1]:
            _, value, count = pools.pop()
            last = pools[-1]
            last[1], last[2] = (last[1] * last[2] + value * count) / (last[2] + count), last[2] + count
    return [[first, round(value, 5)] for first, value, _ in pools]


def generations_of(all_cars, car_keys, residuals, index, models, overall):
    cells, by_model = sums(((car_keys[i]["model"], all_cars[i]["year"]), residuals[i]) for i in index), defaultdict(list)
    for (model, year), (total, count) in sorted(cells.items()):
        sum_, n = models[model]
        level = F.smoothed((total, count), F.smoothed((sum_, n), overall, 12), F.SMOOTHING["generation"])
        by_model[model].append((year, level, count))
    return {model: rising(steps) for model, steps in by_model.items()}


def encoding_of(all_cars, car_keys, residuals, index, words, trims):
    """Every table, from the rows of `index` only."""
    overall = float(np.mean(residuals[index]))
    tables = {level: sums((car_keys[i][level], residuals[i]) for i in index) for level in F.LEVELS}
    # What the version adds: measured on what make, model, power and gearbox leave unexplained.
    power_at = F.LEVELS.index("model_power")
    left = {i: residuals[i] - F.encoded(car_keys[i], tables, overall)[power_at] for i in index}
    spoken = [(i, set(all_cars[i]["version"].split())) for i in index]
    tables["word"] = sums((w, left[i]) for i, mine in spoken for w in mine)
    tables["model_word"] = sums((f"{car_keys[i]['model']}|{w}", left[i]) for i, mine in spoken for w in mine)
    least = {"brand": 1, "model": 1, "word": 10, "model_word": 4, "model_start": 3}
    generations = generations_of(all_cars, car_keys, residuals, index, tables["model"], overall)
    kept = {
        level: {k: (round(v[0], 4), v[1]) for k, v in table.items() if v[1] >= least.get(level, 2)} for level, table in tables.items()
    }
    return {"words": words, "trims": trims, "overall": overall, "tables": kept, "generations": generations}


def matrix(all_cars, car_keys, residuals, train, words, trims):
    """Encodings are out of fold on the training rows, so that the model does not trust rare cells too much."""
    full = encoding_of(all_cars, car_keys, residuals, train, words, trims)
    fold_of = {i: n % 5 for n, i in enumerate(train)}
    folds = [encoding_of(all_cars, car_keys, residuals, [i for i in train if fold_of[i] != f], words, trims) for f in range(5)]
    out = np.empty((len(all_cars), len(F.names(words))), np.float32)
    for i, car in enumerate(all_cars):
        out[i] = F.row(car, folds[fold_of[i]] if i in fold_of else full, car_keys[i])
    return out, full


def fit(x, y, weight, names):
    """Squared error first to find the level fast, then Huber: nearer the median, less moved by odd ads."""
    monotone = [-1 if n in ("age", "km") else 1 if n == "enc_generation" else 0 for n in names]
    params = {
        "objective": "l2", "num_leaves": 95, "learning_rate": 0.1, "min_data_in_leaf": 15, "feature_fraction": 0.5,
        "bagging_fraction": 0.8, "bagging_freq": 1, "monotone_constraints": monotone, "monotone_constraints_method": "basic",
        "use_missing": False, "verbose": -1, "seed": SEED, "num_threads": THREADS, "max_bin": 255, "deterministic": True,
        "force_col_wise": True,
    }
    data = lgb.Dataset(x, y, weight=weight, free_raw_data=False)
    first = lgb.train(params, data, TREES // 3)
    params.update(objective="huber", alpha=0.12, learning_rate=0.06)
    return lgb.train(params, data, TREES - TREES // 3, init_model=first)


def fit_offset(x, residual, alpha):
    """One end of the interval, as a distance from the middle, learnt on residuals of ads the middle never saw."""
    params = {
        "objective": "quantile", "alpha": alpha, "num_leaves": 12, "learning_rate": 0.06, "min_data_in_leaf": 60,
        "feature_fraction": 0.5, "bagging_fraction": 0.8, "bagging_freq": 1, "use_missing": False, "verbose": -1,
        "seed": SEED, "num_threads": THREADS, "deterministic": True,
    }
    return lgb.train(params, lgb.Dataset(x, residual), 120)


def export(model, width, path):
    onnx = convert_lightgbm(model, initial_types=[("input", FloatTensorType([None, width]))], target_opset=15)
    open(path, "wb").write(onnx.SerializeToString())
    return onnxruntime.InferenceSession(path)


def band(value, edges):
    return sum(value >= e for e in edges)


def group(age, price, fuel):
    return f"{band(age, AGE_BANDS)}:{band(price, PRICE_BANDS)}" + (":electric" if fuel == "electric" else "")


def margins(groups, score):
    """How far each end has to move for 80 % coverage, per group of at least 150 held-out ads."""
    wanted = lambda mine: float(np.quantile(mine, min(1.0, 0.8 * (1 + 1 / len(mine)))))
    out = {"": wanted(score)}
    for g in sorted(set(groups)):
        mine = score[groups == g]
        if len(mine) >= 150:
            out[g] = wanted(mine)
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


def vocabulary(all_cars, train, count=220):
    seen = Counter(w for i in train for w in set(all_cars[i]["version"].split()))
    return [w for w, n in seen.most_common(count) if len(w) > 1]


def weights(ads, age, price):
    """Private sellers bring old and cheap French cars: they count more than their number."""
    return (
        np.where(ads["country"] == "FR", 1.6, 1.0) * np.where(ads["ad_date"].str[:4] == "2026", 1.4, 1.0)
        * np.where(age > 10, 2.5, 1.0) * np.where(price < 10_000, 1.6, 1.0)
    )


def held_out_residuals(work):
    """Fits without the calibration rows and predicts them, once as they are and once with the model unknown."""
    all_cars, car_keys, y, weight, train, calibration, words, trims = work
    x, residuals, _ = prepared(all_cars, car_keys, y, train, words, trims)
    model = fit(x[0][train], y[train], weight[train], F.names(words))
    strange = [dict(all_cars[i], model="?") for i in calibration]
    unknown = np.asarray([F.row(c, x[1]) for c in strange], np.float32)
    return x[0][calibration], model.predict(x[0][calibration]), unknown, model.predict(unknown)


def prepared(all_cars, car_keys, y, train, words, trims):
    parts = design(all_cars)
    coefficients, *_ = np.linalg.lstsq(parts[train], y[train], rcond=None)
    residuals = y - parts @ coefficients
    return matrix(all_cars, car_keys, residuals, train, words, trims), residuals, coefficients


def calibrate(x, mid, y, all_cars, rows, ads_seen):
    """Ends learnt on one half and measured on the other, so that the margins are honest."""
    residual, half = y - mid, np.arange(len(y)) % 2 == 0
    ends = np.empty((2, len(y)))
    for mine in (half, ~half):
        for n, alpha in enumerate((0.1, 0.9)):
            ends[n][~mine] = fit_offset(x[mine], residual[mine], alpha).predict(x[~mine])
    ends[0], ends[1] = np.minimum(ends[0], 0), np.maximum(ends[1], 0)
    score = np.maximum(ends[0] - residual, residual - ends[1])
    groups = np.array([group(all_cars[i]["age"], p, all_cars[i]["fuel"]) for i, p in zip(rows, np.exp(mid))])
    widen = margins(groups, score)
    rare = score[ads_seen < RARE]
    widen["rare"] = float(np.quantile(rare, 0.8)) if len(rare) >= 150 else widen[""]
    margin = np.array([widen.get(g, widen[""]) for g in groups])
    low, high = np.minimum(mid + ends[0] - margin, mid), np.maximum(mid + ends[1] + margin, mid)
    width = (np.exp(high) - np.exp(low)) / np.exp(mid)
    classes = np.array([band(w, WIDTH_EDGES) for w in width])
    close = np.abs(np.exp(mid - y) - 1) <= 0.1
    within = measured_shares(close, classes)
    return [fit_offset(x, residual, alpha) for alpha in (0.1, 0.9)], widen, within


def measured_shares(close, classes):
    """Share within 10 % per width class, narrowest first. A class of fewer than 30 ads says nothing by
    itself and takes the figure of the next wider one, which can only be too low."""
    shares, wider = [], None
    for c in reversed(range(len(WIDTH_EDGES) + 1)):
        ads = close[classes == c]
        if len(ads) >= 30 or wider is None:
            wider = round(float(ads.mean()), 3)
        shares.insert(0, wider)
    return shares


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--ads", required=True)
    options.add_argument("--out", default="../model")
    options = options.parse_args()
    ads = load(options.ads)
    all_cars, split = cars(ads), ads["split"].to_numpy()
    price = ads["price"].to_numpy(float)
    y, age = np.log(price), np.array([c["age"] for c in all_cars])
    train, calibration, test = np.flatnonzero(split >= 15), np.flatnonzero((split >= 15) & (split < 25)), split < 15
    trims = sorted({F.normalise(t) for t in open(f"{options.ads}/trim_tokens.txt")} - {""}, key=lambda t: (-len(t), t))
    words = vocabulary(all_cars, train)
    car_keys, weight, names = [F.keys(c, trims) for c in all_cars], weights(ads, age, price), F.names(words)
    with ProcessPoolExecutor(1) as pool:
        work = (all_cars, car_keys, y, weight, np.flatnonzero(split >= 25), calibration, words, trims)
        residuals_of = pool.submit(held_out_residuals, work)
        (x, encoding), _, coefficients = prepared(all_cars, car_keys, y, train, words, trims)
        print(x.shape, len(train), flush=True)
        mid_model = fit(x[train], y[train], weight[train], names)
        x_held, mid_held, x_unknown, mid_unknown = residuals_of.result()
    seen = np.expm1(x_held[:, names.index("ln_model_ads")])
    offsets, widen, within = calibrate(x_held, mid_held, y[calibration], all_cars, calibration, seen)
    low_end, high_end = (o.predict(x_unknown) for o in offsets)
    left = y[calibration] - mid_unknown
    widen["unknown"] = float(np.quantile(np.maximum(np.minimum(low_end, 0) - left, left - np.maximum(high_end, 0)), 0.8))
    os.makedirs(options.out, exist_ok=True)
    outputs = {}
    for name, model in [("mid", mid_model), ("low", offsets[0]), ("high", offsets[1])]:
        outputs[name] = export(model, x.shape[1], f"{options.out}/{name}.onnx").run(None, {"input": x})[0].ravel().astype(float)
        print(name, "largest difference to LightGBM", np.abs(outputs[name][:5000] - model.predict(x[:5000])).max(), flush=True)
    mid = outputs["mid"]
    groups = [group(a, p, c["fuel"]) for a, p, c in zip(age, np.exp(mid), all_cars)]
    margin = np.array([widen.get(g, widen[""]) for g in groups])
    ads_seen = np.expm1(x[:, names.index("ln_model_ads")])
    margin = np.where(ads_seen < 0.5, np.maximum(margin, widen["unknown"]), np.where(ads_seen < RARE, np.maximum(margin, widen["rare"]), margin))
    low, high = np.minimum(mid + np.minimum(outputs["low"], 0) - margin, mid), np.maximum(mid + np.maximum(outputs["high"], 0) + margin, mid)
    french, fr_2026 = (ads["country"] == "FR").to_numpy(), ((ads["country"] == "FR") & (ads["source"] == "as24_2026")).to_numpy()
    masks = {"all": test, "fr_2026": test & fr_2026, "fr": test & french, "over_10_years": test & (age > 10),
             "under_10000": test & (price < 10_000), "electric": test & (ads["fuel"] == "electric").to_numpy()}
    for g in sorted(set(groups)):
        mine = test & (np.array(groups) == g)
        if mine.sum() >= 200:
            masks[f"cell {g}"] = mine
    metrics = {k: figures(y, low, mid, high, m) for k, m in masks.items()}
    print("\n".join(f"{k} {v}" for k, v in metrics.items()), flush=True)
    save(options, ads, x, encoding, names, widen, within, metrics, train)


def save(options, ads, x, encoding, names, widen, within, metrics, train):
    tables = encoding["tables"]
    brands = {b: sorted({k.split("|")[1] for k in tables["model"] if k.startswith(f"{b}|")}) for b in tables["brand"]}
    encoding |= {
        "features": names, "fuels": F.FUELS, "bodies": F.BODIES, "countries": F.COUNTRIES, "levels": F.LEVELS,
        "smoothing": F.SMOOTHING, "brand_aliases": BRAND_ALIASES, "brands": brands, "power_units": F.POWER_UNITS,
        "engine_words": F.ENGINE_WORDS, "first_recent_year": F.FIRST_RECENT_YEAR,
        "median_km_by_age": [float(ads.loc[(ads["age_years"] >= a) & (ads["age_years"] < a + 1), "mileage_km"].median()) for a in range(26)],
    }
    calibration = {"age_bands": AGE_BANDS, "price_bands": PRICE_BANDS, "margins": widen, "width_edges": WIDTH_EDGES, "rare": RARE, "within_10_by_width": within}
    for name, value in [("encoding", encoding), ("calibration", calibration)]:
        json.dump(value, open(f"{options.out}/{name}.json", "w"), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    files = ["mid.onnx", "low.onnx", "high.onnx", "encoding.json", "calibration.json"]
    digest = lambda f: hashlib.sha256(open(f"{options.out}/{f}", "rb").read()).hexdigest()
    card = {
        "name": "keroxio-price", "version": datetime.date.today().isoformat(), "seed": SEED, "trees": TREES,
        "command": "python train.py --ads DIR --out ../model", "data_from": str(ads["ad_date"].min())[:10],
        "data_until": str(ads["ad_date"].max())[:10], "rows": len(ads), "rows_trained_on": len(train),
        "licence": "LicenseRef-Keroxio-Model: weights by our code; the ads were collected without an open-data licence, see README",
        "held_out": metrics, "held_out_note": "15 % of the open rows by car key, never trained on or calibrated on; the margins come from a further 10 % held out of a fit with the same settings",
        "sha256": {f: digest(f) for f in files},
    }
    json.dump(card, open(f"{options.out}/card.json", "w"), indent=1, ensure_ascii=False)
    golden.write(options.out)
    print("saved", {f: os.path.getsize(f"{options.out}/{f}") for f in files}, flush=True)


if __name__ == "__main__":
    main()
