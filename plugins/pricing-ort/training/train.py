"""Trains the price model: python train.py --ads DIR --out ../model

DIR holds ads_eur_*.csv.gz and trim_tokens.txt. Some fifteen minutes on two cores.
"""

import argparse
import datetime
import glob
import hashlib
import json
import multiprocessing
import os
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor

import lightgbm as lgb
import numpy as np
import onnxruntime
import pandas as pd

import features as F
import golden
import nets
import trees
from package import Package, band, figures, group

SEED = 20261124
THREADS = 1
RARE = 30
# A power of a model has levels per year of its own from so many ads.
LEAST_OF_POWER = 15
# What a model has its slopes along.
AT = {"age": lambda c: min(c["age"], 20.0), "km": lambda c: c["mileage_km"] / 30_000.0}
WIDTH_EDGES = [0.16, 0.20, 0.25, 0.32, 0.45, 0.60]
TREES, MEMBERS = int(os.environ.get("TREES", "1200")), int(os.environ.get("MEMBERS", "3"))
# How many networks, and how much their mean counts beside that of the trees.
NETWORKS, NETWORKS_COUNT = int(os.environ.get("NETWORKS", "4")), 0.45
# Every so many-th car is learnt from once more with less said about it.
LESS_SAID_OF = 6
LEAST_SAID = {"version": "", "gearbox": "", "power_hp": F.UNKNOWN, "doors": F.UNKNOWN, "seats": F.UNKNOWN, "body": ""}
# The networks know a model of so many ads and a word of so many versions by itself.
MODEL_KNOWN, WORD_KNOWN = 5, 8
# Hundredths of the cars that nothing is learnt from, and those after them that the ends are learnt from.
HELD_OUT, CALIBRATED_ON = int(os.environ.get("HELD_OUT", "15")), 10
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


def levelled(all_cars, car_keys, residuals, index, slopes):
    """The residuals as if every car of a model had its mean age and mileage: a finish that is only sold old is not cheap."""
    models, codes = np.unique(np.array([car_keys[i]["model"] for i in index], object), return_inverse=True)
    out = residuals.copy()
    for name, value in AT.items():
        mine = np.array([value(all_cars[i]) for i in index])
        mean = np.bincount(codes, mine) / np.bincount(codes)
        out[index] -= np.array([slopes[name][m] for m in models])[codes] * (mine - mean[codes])
    return out


def slopes_of(all_cars, car_keys, residuals, index):
    """Least squares of the residual on age (years) and mileage (30,000 km) within a model, drawn to that of its make,
    which is drawn to none."""
    out = {}
    for name, value in AT.items():
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
    """Levels per registration year of every model, and of every power and fuel of it that has ads enough."""
    cells = sums(((car_keys[i]["model"], all_cars[i]["year"]), residuals[i]) for i in index)
    by_model = defaultdict(list)
    for (model, year), (total, count) in sorted(cells.items()):
        level = F.smoothed((total, count), F.smoothed(models[model], overall, 12), F.SMOOTHING["generation"])
        by_model[model].append((year, level, count))
    of_models = {model: rising(steps) for model, steps in by_model.items()}
    finer = sums(((car_keys[i]["model_power_fuel"], all_cars[i]["year"]), residuals[i]) for i in index)
    ads = Counter(car_keys[i]["model_power_fuel"] for i in index)
    of_powers = {}
    for key in sorted(key for key, count in ads.items() if count >= LEAST_OF_POWER):
        of_powers[key] = finer_generation(key, finer, by_model[key.rsplit("|", 2)[0]], of_models)
    return of_models | of_powers


def finer_generation(key, cells, years, of_models):
    """Every year that the model has: a power without ads of a year moves with its model."""
    model = key.rsplit("|", 2)[0]
    of_model = {year: F.generation(model, year, of_models, 0.0) for year, _, _ in years}
    own = {year: cells[key, year] for year in of_model if (key, year) in cells}
    count = sum(n for _, n in own.values())
    offset = sum(total - n * of_model[year] for year, (total, n) in own.items()) / (count + F.SMOOTHING["generation"])
    steps = [
        (year, F.smoothed(own.get(year), level + offset, F.SMOOTHING["generation"]), own.get(year, (0.0, 0))[1] + 1)
        for year, level in of_model.items()
    ]
    return rising(steps)


def encoding_of(all_cars, car_keys, residuals, index, known_words):
    """Every table, from the rows of `index` only."""
    overall = float(np.mean(residuals[index]))
    slopes = slopes_of(all_cars, car_keys, residuals, index)
    raw, residuals = residuals, levelled(all_cars, car_keys, residuals, index, slopes)
    tables = {level: sums((car_keys[i][level], residuals[i]) for i in index) for level in F.LEVELS}
    # What the version adds: measured on what make, model, power and gearbox leave unexplained.
    power_at = F.LEVELS.index("model_power")
    left = {i: residuals[i] - F.encoded(car_keys[i], tables, overall)[power_at] for i in index}
    spoken = [(i, set(all_cars[i]["version"].split())) for i in index]
    tables["word"] = sums((w, left[i]) for i, mine in spoken for w in mine)
    tables["model_word"] = sums((f"{car_keys[i]['model']}|{w}", left[i]) for i, mine in spoken for w in mine)
    least = {"brand": 1, "model": 1, "word": 10, "model_word": 4, "model_start": 3}
    generations = generations_of(all_cars, car_keys, raw, index, tables["model"], overall)
    kept = {
        level: {k: (round(v[0], 4), v[1]) for k, v in table.items() if v[1] >= least.get(level, 2)} for level, table in tables.items()
    }
    return known_words | {
        "overall": overall, "tables": kept, "slopes": slopes, "generations": generations,
        "newest_month": max(int(all_cars[i]["on"][:4]) * 12 + int(all_cars[i]["on"][5:7]) for i in index),
    }


def matrix(all_cars, car_keys, residuals, train, known_words):
    """Encodings are out of fold on the training rows, so that the model does not trust rare cells too much.

    The rows of cars with less said about them come last.
    """
    full = encoding_of(all_cars, car_keys, residuals, train, known_words)
    fold_of = {i: n % 5 for n, i in enumerate(train)}
    folds = [encoding_of(all_cars, car_keys, residuals, [i for i in train if fold_of[i] != f], known_words) for f in range(5)]
    rows = [F.row(car, folds[fold_of[i]] if i in fold_of else full, car_keys[i]) for i, car in enumerate(all_cars)]
    less = [F.row(car, folds[fold_of[i]]) for i, car in less_said(all_cars, train)]
    return np.asarray(rows, np.float32), np.asarray(less, np.float32), full


def less_said(all_cars, train):
    """Some cars once more as callers leave them: without a version, without a power, with next to nothing."""
    without = [{"version": ""}, {"power_hp": F.UNKNOWN}, LEAST_SAID, LEAST_SAID | {"country": ""}]
    return [(i, all_cars[i] | without[n % len(without)]) for n, i in enumerate(train[::LESS_SAID_OF])]


def plain(x):
    """The columns that trees read."""
    return x[:, : -len(F.INDEX)]


class Middle:
    """Trees and networks that differ by chance: their mean errs less than each. Networks read columns that trees do not."""

    def __init__(self, x, y, names, sizes):
        self.boosters = [fit(plain(x), y, names[: -len(F.INDEX)], SEED + member) for member in range(MEMBERS)]
        self.networks = [nets.fit(x, y, names, sizes, SEED + member) for member in range(NETWORKS)]

    def predict(self, x):
        by_trees = np.mean([booster.predict(plain(x)) for booster in self.boosters], axis=0)
        return (1 - NETWORKS_COUNT) * by_trees + NETWORKS_COUNT * np.mean([net.predict(x) for net in self.networks], axis=0)

    def export(self, width):
        return trees.mean_of(self.boosters, width, self.networks, NETWORKS_COUNT)


def fit(x, y, names, seed):
    """Squared error first to find the level fast, then Huber: nearer the median, less moved by odd ads.

    Every ad counts the same: more weight for French, old or cheap cars made all of them worse, these included.
    """
    monotone = [-1 if n in nets.DRIVEN else 1 if n in nets.RISING else 0 for n in names]
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
        "objective": "quantile", "alpha": alpha, "num_leaves": 12, "learning_rate": 0.03, "min_data_in_leaf": 60,
        "feature_fraction": 0.3, "bagging_fraction": 0.8, "bagging_freq": 1, "use_missing": False, "verbose": -1,
        "seed": SEED, "num_threads": THREADS, "deterministic": True,
    }
    return lgb.train(params, lgb.Dataset(x, residual), 200)


def export(model, path):
    open(path, "wb").write(model)
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


def vocabulary(all_cars, trims, train, count=220):
    """The words that trees ask for, the finishes, and the places of what the networks know."""
    said = Counter(w for i in train for w in dict.fromkeys(all_cars[i]["version"].split()))
    models = Counter(f"{all_cars[i]['brand']}|{all_cars[i]['model']}" for i in train)
    brands = sorted({all_cars[i]["brand"] for i in train})
    places = lambda entries: {entry: n for n, entry in enumerate(sorted(entries), 1)}
    return {
        "words": [w for w, n in said.most_common(count) if len(w) > 1], "trims": trims,
        "places": {
            "models": places(m for m, n in models.items() if n >= MODEL_KNOWN), "brands": places(brands),
            "words": places(w for w, n in said.items() if n >= WORD_KNOWN),
        },
    }


def sizes(known_words):
    """Of the tables that the networks look things up in."""
    return [len(known_words["places"][name]) + 1 for name in ("models", "brands", "words")]


def held_out_residuals(work):
    """Fits without the calibration rows and predicts them, once as they are and once with the model unknown."""
    all_cars, car_keys, y, train, calibration, known_words = work
    x, encoding, middle = fitted(all_cars, car_keys, y, train, known_words)
    strange = [dict(all_cars[i], model="?") for i in calibration]
    unknown = np.asarray([F.row(c, encoding) for c in strange], np.float32)
    return x[calibration], middle.predict(x[calibration]), unknown, middle.predict(unknown)


def fitted(all_cars, car_keys, y, train, known_words):
    """The features of all cars, the encoding and the middle, all learnt from the rows of `train`."""
    parts = design(all_cars)
    coefficients, *_ = np.linalg.lstsq(parts[train], y[train], rcond=None)
    x, less, encoding = matrix(all_cars, car_keys, y - parts @ coefficients, train, known_words)
    prices = np.concatenate([y[train], y[train[::LESS_SAID_OF]]])
    return x, encoding, Middle(np.concatenate([x[train], less]), prices, F.names(known_words["words"]), sizes(known_words))


def calibrate(x, mid, y, all_cars, rows, ads_seen):
    """Ends learnt on four fifths and measured on the last, five times, so that the margins are honest."""
    residual, fold = y - mid, np.arange(len(y)) % 5
    ends = np.empty((2, len(y)))
    for n, alpha in enumerate((0.1, 0.9)):
        for f in range(5):
            ends[n][fold == f] = fit_offset(x[fold != f], residual[fold != f], alpha).predict(x[fold == f])
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
    """Trains on the cars that are not held out, writes the package and answers its figures on those that are."""
    all_cars, part = cars(ads), ads["split"].to_numpy()
    y = np.log(ads["price"].to_numpy(float))
    train, calibration = np.flatnonzero(part >= HELD_OUT), np.flatnonzero((part >= HELD_OUT) & (part < HELD_OUT + CALIBRATED_ON))
    known_words = vocabulary(all_cars, trims, train)
    car_keys, names = [F.keys(c, trims) for c in all_cars], F.names(known_words["words"])
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        work = (all_cars, car_keys, y, np.flatnonzero(part >= HELD_OUT + CALIBRATED_ON), calibration, known_words)
        residuals_of = pool.submit(held_out_residuals, work)
        x, encoding, middle = fitted(all_cars, car_keys, y, train, known_words)
        held = residuals_of.result()
    offsets, widen, within = ends(held, y, all_cars, calibration, names)
    os.makedirs(out, exist_ok=True)
    few, width = x[:5000], x.shape[1]
    files = {"mid": (middle.export(width), middle.predict(few))}
    for name, offset in zip(("low", "high"), offsets):
        files[name] = trees.mean_of([offset], width), offset.predict(plain(few))
    for name, (model, fitted_answers) in files.items():
        answers = export(model, f"{out}/{name}.onnx").run(None, {"input": few})[0].ravel().astype(float)
        print(name, "largest difference to what was fitted", np.abs(answers - fitted_answers).max(), flush=True)
    write_tables(out, ads, encoding, names, widen, within)
    metrics = judge(out, ads, all_cars, y, part < HELD_OUT)
    write_card(out, ads, metrics, len(train))
    golden.write(out)
    return metrics


def ends(held, y, all_cars, calibration, names):
    x, mid, x_unknown, mid_unknown = held
    x, x_unknown = plain(x), plain(x_unknown)
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
        "name": "keroxio-price", "version": f"{datetime.date.today().isoformat()}.{digest('mid.onnx')[:6]}", "seed": SEED,
        "trees": TREES, "members": MEMBERS, "networks": NETWORKS,
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
