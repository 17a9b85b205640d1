"""Trains the price model: python train.py --ads DIR --out ../model

DIR holds ads_eur_*.csv.gz and trim_tokens.txt. A few minutes on two cores.
"""

import argparse
import datetime
import glob
import hashlib
import json
import os
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor

import lightgbm as lgb
import numpy as np
import onnxruntime
import pandas as pd

import features as F
import golden
import trees
from package import Package, band, figures, group

SEED = 20261124
THREADS = 1
RARE = 30
WIDTH_EDGES = [0.16, 0.20, 0.25, 0.32, 0.45, 0.60]
TREES, MEMBERS = int(os.environ.get("TREES", "1500")), int(os.environ.get("MEMBERS", "3"))
# Hundredths of the cars that nothing is learnt from, and those after them that the ends are learnt from.
HELD_OUT, CALIBRATED_ON = int(os.environ.get("HELD_OUT", "5")), 10
BANDS = {"age_bands": [3, 6, 10], "price_bands": [10_000, 20_000, 40_000]}
BRAND_ALIASES = {
    "vw": "volkswagen", "mercedes benz": "mercedes", "mercedesbenz": "mercedes", "citroen ds": "ds",
    "ds automobiles": "ds", "landrover": "land rover", "alfa": "alfa romeo", "rangerover": "land rover",
}


def load(folder):
    frames = [pd.read_csv(path, dtype={"region": str}, low_memory=False) for path in sorted(glob.glob(f"{folder}/ads_eur_*.csv.gz"))]
    return split(pd.concat(frames, ignore_index=True))


def split(ads):
    """Gives every car one of a hundred parts: the same car is never on both sides."""
    key = zip(ads["brand"], ads["model"], ads["year"], ads["month"].astype(float), ads["mileage_km"])
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


def slopes_of(all_cars, car_keys, residuals, index):
    """Least squares of the residual on age (years) and mileage (30,000 km) within a model, drawn to that of its make,
    which is drawn to none."""
    at = {"age": lambda c: min(c["age"], 20.0), "km": lambda c: c["mileage_km"] / 30_000.0}
    out = {}
    for name, value in at.items():
        mine = np.array([value(all_cars[i]) for i in index])
        by_brand = slope_table([car_keys[i]["brand"] for i in index], mine, residuals[index], 500.0, lambda key: 0.0)
        parent = lambda key: by_brand[key.split("|")[0]]
        by_model = slope_table([car_keys[i]["model"] for i in index], mine, residuals[index], 150.0, parent)
        out[name] = {key: round(slope, 6) for key, slope in (by_brand | by_model).items()}
    return out


def slope_table(groups, x, y, weight, parent):
    names, codes = np.unique(np.array(groups, object), return_inverse=True)
    count = np.bincount(codes)
    x = x - (np.bincount(codes, x) / count)[codes]
    y = y - (np.bincount(codes, y) / count)[codes]
    covered, varied = np.bincount(codes, x * y), np.bincount(codes, x * x)
    return {key: float((c + weight * parent(key)) / (v + weight)) for key, c, v in zip(names, covered, varied)}


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
    slopes = slopes_of(all_cars, car_keys, residuals, index)
    return {"words": words, "trims": trims, "overall": overall, "tables": kept, "slopes": slopes, "generations": generations}


def matrix(all_cars, car_keys, residuals, train, words, trims):
    """Encodings are out of fold on the training rows, so that the model does not trust rare cells too much."""
    full = encoding_of(all_cars, car_keys, residuals, train, words, trims)
    fold_of = {i: n % 5 for n, i in enumerate(train)}
    folds = [encoding_of(all_cars, car_keys, residuals, [i for i in train if fold_of[i] != f], words, trims) for f in range(5)]
    out = np.empty((len(all_cars), len(F.names(words))), np.float32)
    for i, car in enumerate(all_cars):
        out[i] = F.row(car, folds[fold_of[i]] if i in fold_of else full, car_keys[i])
    return out, full


def fit_all(x, y, names):
    """Several fits that differ by chance; their mean errs less than each."""
    return [fit(x, y, names, SEED + member) for member in range(MEMBERS)]


def mean(models, x):
    return np.mean([model.predict(x) for model in models], axis=0)


def fit(x, y, names, seed):
    """Squared error first to find the level fast, then Huber: nearer the median, less moved by odd ads.

    Every ad counts the same: more weight for French, old or cheap cars made all of them worse, these included.
    """
    monotone = [-1 if n in ("age", "km") else 1 if n == "enc_generation" else 0 for n in names]
    params = {
        "objective": "l2", "num_leaves": 95, "learning_rate": 0.1, "min_data_in_leaf": 15, "feature_fraction": 0.22,
        "bagging_fraction": 0.7, "bagging_freq": 1, "monotone_constraints": monotone,
        "monotone_constraints_method": "intermediate",
        "use_missing": False, "verbose": -1, "seed": seed, "num_threads": THREADS, "max_bin": 255, "deterministic": True,
        "force_col_wise": True,
    }
    data = lgb.Dataset(x, y, free_raw_data=False)
    first = lgb.train(params, data, TREES // 5)
    params.update(objective="huber", alpha=0.1, learning_rate=0.05)
    return lgb.train(params, data, TREES - TREES // 5, init_model=first)


def fit_offset(x, residual, alpha):
    """One end of the interval, as a distance from the middle, learnt on residuals of ads the middle never saw."""
    params = {
        "objective": "quantile", "alpha": alpha, "num_leaves": 12, "learning_rate": 0.06, "min_data_in_leaf": 60,
        "feature_fraction": 0.5, "bagging_fraction": 0.8, "bagging_freq": 1, "use_missing": False, "verbose": -1,
        "seed": SEED, "num_threads": THREADS, "deterministic": True,
    }
    return lgb.train(params, lgb.Dataset(x, residual), 120)


def export(models, width, path):
    open(path, "wb").write(trees.mean_of(models, width))
    return onnxruntime.InferenceSession(path)


def margins(groups, score):
    """How far each end has to move for 80 % coverage, per group of at least 150 held-out ads."""
    # 0.7 standard errors more than 80 %: a margin measured on few ads is as often too small as too large, and only
    # too small is a broken promise.
    wanted = lambda mine: float(np.quantile(mine, min(1.0, 0.8 + 0.7 * (0.16 / len(mine)) ** 0.5)))
    out = {"": wanted(score)}
    for g in sorted(set(groups)):
        mine = score[groups == g]
        if len(mine) >= 150:
            out[g] = wanted(mine)
    return out


def vocabulary(all_cars, train, count=220):
    seen = Counter(w for i in train for w in set(all_cars[i]["version"].split()))
    return [w for w, n in seen.most_common(count) if len(w) > 1]


def held_out_residuals(work):
    """Fits without the calibration rows and predicts them, once as they are and once with the model unknown."""
    all_cars, car_keys, y, train, calibration, words, trims = work
    x, residuals, _ = prepared(all_cars, car_keys, y, train, words, trims)
    models = fit_all(x[0][train], y[train], F.names(words))
    strange = [dict(all_cars[i], model="?") for i in calibration]
    unknown = np.asarray([F.row(c, x[1]) for c in strange], np.float32)
    return x[0][calibration], mean(models, x[0][calibration]), unknown, mean(models, unknown)


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
    groups = np.array([group(all_cars[i]["age"], p, all_cars[i]["fuel"], BANDS) for i, p in zip(rows, np.exp(mid))])
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
    itself and takes the figure of the next wider one, which can only be too low; the widest that of all ads."""
    shares, wider = [], round(float(close.mean()), 3)
    for c in reversed(range(len(WIDTH_EDGES) + 1)):
        ads = close[classes == c]
        if len(ads) >= 30:
            wider = round(float(ads.mean()), 3)
        shares.insert(0, wider)
    return shares


def trims_of(path):
    """Names of finishes, longest first."""
    return sorted({F.normalise(t) for t in open(path)} - {""}, key=lambda t: (-len(t), t))


def make(ads, trims, out):
    """Trains on 95 % of the cars, writes the package and answers its figures on the others."""
    all_cars, part = cars(ads), ads["split"].to_numpy()
    y = np.log(ads["price"].to_numpy(float))
    train, calibration = np.flatnonzero(part >= HELD_OUT), np.flatnonzero((part >= HELD_OUT) & (part < HELD_OUT + CALIBRATED_ON))
    words = vocabulary(all_cars, train)
    car_keys, names = [F.keys(c, trims) for c in all_cars], F.names(words)
    with ProcessPoolExecutor(1) as pool:
        work = (all_cars, car_keys, y, np.flatnonzero(part >= HELD_OUT + CALIBRATED_ON), calibration, words, trims)
        residuals_of = pool.submit(held_out_residuals, work)
        (x, encoding), _, _ = prepared(all_cars, car_keys, y, train, words, trims)
        print(x.shape, len(train), flush=True)
        mids = fit_all(x[train], y[train], names)
        held = residuals_of.result()
    offsets, widen, within = ends(held, y, all_cars, calibration, names)
    os.makedirs(out, exist_ok=True)
    for name, models in [("mid", mids), ("low", offsets[:1]), ("high", offsets[1:])]:
        answers = export(models, x.shape[1], f"{out}/{name}.onnx").run(None, {"input": x[:5000]})[0].ravel().astype(float)
        print(name, "largest difference to LightGBM", np.abs(answers - mean(models, x[:5000])).max(), flush=True)
    write_tables(out, ads, encoding, names, widen, within)
    metrics = judge(out, ads, all_cars, y, part < HELD_OUT)
    write_card(out, ads, metrics, len(train))
    golden.write(out)
    return metrics


def ends(held, y, all_cars, calibration, names):
    x, mid, x_unknown, mid_unknown = held
    seen = np.expm1(x[:, names.index("ln_model_ads")])
    offsets, widen, within = calibrate(x, mid, y[calibration], all_cars, calibration, seen)
    low, high = (o.predict(x_unknown) for o in offsets)
    left = y[calibration] - mid_unknown
    widen["unknown"] = float(np.quantile(np.maximum(np.minimum(low, 0) - left, left - np.maximum(high, 0)), 0.8))
    return offsets, widen, within


def judge(folder, ads, all_cars, y, test):
    """Figures of a package on the rows of `test`, whoever trained it, per kind of car and per group of 200."""
    rows = np.flatnonzero(test)
    (low, mid, high), groups = Package(folder).estimate([all_cars[i] for i in rows])
    ads, y = ads.iloc[rows], y[rows]
    french, age = (ads["country"] == "FR").to_numpy(), np.array([all_cars[i]["age"] for i in rows])
    masks = {
        "all": np.ones(len(rows), bool), "fr_2026": french & (ads["source"] == "as24_2026").to_numpy(), "fr": french,
        "over_10_years": age > 10, "under_10000": np.exp(y) < 10_000, "electric": (ads["fuel"] == "electric").to_numpy(),
    }
    masks |= {f"cell {g}": groups == g for g in sorted(set(groups)) if (groups == g).sum() >= 200}
    return {name: figures(y, low, mid, high, mask) for name, mask in masks.items()}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--ads", required=True)
    options.add_argument("--out", default="../model")
    options = options.parse_args()
    metrics = make(load(options.ads), trims_of(f"{options.ads}/trim_tokens.txt"), options.out)
    print("\n".join(f"{k} {v}" for k, v in metrics.items()), flush=True)


def write_tables(out, ads, encoding, names, widen, within):
    tables = encoding["tables"]
    brands = {b: sorted({k.split("|")[1] for k in tables["model"] if k.startswith(f"{b}|")}) for b in tables["brand"]}
    encoding |= {
        "features": names, "fuels": F.FUELS, "bodies": F.BODIES, "countries": F.COUNTRIES, "levels": F.LEVELS,
        "smoothing": F.SMOOTHING, "brand_aliases": BRAND_ALIASES, "brands": brands, "power_units": F.POWER_UNITS,
        "engine_words": F.ENGINE_WORDS, "first_recent_year": F.FIRST_RECENT_YEAR, "median_km_by_age": usual_mileages(ads),
    }
    calibration = BANDS | {"margins": widen, "width_edges": WIDTH_EDGES, "rare": RARE, "within_10_by_width": within}
    for name, value in [("encoding", encoding), ("calibration", calibration)]:
        json.dump(value, open(f"{out}/{name}.json", "w"), ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)


def usual_mileages(ads):
    """Median mileage per year of age; a year without ads takes that of the year before."""
    usual = [0.0]
    for age in range(26):
        median = ads.loc[(ads["age_years"] >= age) & (ads["age_years"] < age + 1), "mileage_km"].median()
        usual.append(float(median) if median == median else usual[-1])
    return usual[1:]


def write_card(out, ads, metrics, trained_on):
    files = ["mid.onnx", "low.onnx", "high.onnx", "encoding.json", "calibration.json"]
    digest = lambda f: hashlib.sha256(open(f"{out}/{f}", "rb").read()).hexdigest()
    card = {
        "name": "keroxio-price", "version": f"{datetime.date.today().isoformat()}.{digest('mid.onnx')[:6]}", "seed": SEED, "trees": TREES, "members": MEMBERS,
        "command": "python train.py --ads DIR --out ../model", "data_from": str(ads["ad_date"].min())[:10],
        "data_until": str(ads["ad_date"].max())[:10], "rows": len(ads), "rows_trained_on": trained_on,
        "licence": "LicenseRef-Keroxio-Model: weights by our code; the ads were collected without an open-data licence, see README",
        "held_out": metrics, "held_out_note": f"{HELD_OUT} % of the open rows by car key, never trained on or calibrated on; the margins come from a further 10 % held out of a fit with the same settings",
        "sha256": {f: digest(f) for f in files},
    }
    json.dump(card, open(f"{out}/card.json", "w"), indent=1, ensure_ascii=False)
    print("saved", {f: os.path.getsize(f"{out}/{f}") for f in files}, flush=True)


if __name__ == "__main__":
    main()
