"""Trains the price model anew on the operator's own ads, and puts it in place only if it is no worse.

python retrain.py ADS.csv --model DIR      DIR is replaced; what was there stays as DIR.previous
python retrain.py --rollback --model DIR   the previous model comes back
"""

import argparse
import os
import shutil
import sys
import tempfile

import numpy as np
import pandas as pd

import features as F
import train as T
from package import Package

REQUIRED = ["ad_date", "brand", "model", "year", "mileage_km", "fuel", "price"]
OPTIONAL = [
    "version", "month", "gearbox", "power_hp", "doors", "seats", "body", "country", "source", "age_years",
]
LEAST_ADS = 2_000
# A model of at least so many ads tells whether its prices follow the years; a set that was copied together does not.
LEAST_OF_MODEL, LEAST_CORRELATION = 15, 0.2
WORSE_BY, COVERED = 0.5, (0.75, 0.85)
# Words as production says them.
WORDS = {"fuel": F.FUELS, "gearbox": ["manual", "automatic"], "body": F.BODIES}


class Refused(Exception):
    """The ads or the model trained on them cannot be used; says why and what to do."""


def read(path):
    """The rows that can be learnt from, and for every other one its line and the reason."""
    ads = pd.read_csv(path, sep=None, engine="python", dtype={"region": str, "ad_id": str})
    ads.columns = [name.strip().lower() for name in ads.columns]
    missing = [name for name in REQUIRED if name not in ads.columns]
    if missing:
        raise Refused(f"columns missing: {', '.join(missing)}")
    for name in OPTIONAL:
        if name not in ads.columns:
            ads[name] = np.nan
    for name in ("year", "month", "mileage_km", "price", "power_hp", "doors", "seats"):
        ads[name] = pd.to_numeric(ads[name], errors="coerce")
    for name in ("brand", "model"):
        ads[name] = ads[name].map(F.normalise, na_action="ignore")
    ads["brand"] = ads["brand"].replace(T.BRAND_ALIASES)
    day = pd.to_datetime(ads["ad_date"], errors="coerce", format="ISO8601")
    ads["ad_date"] = day.dt.strftime("%Y-%m-%d")
    wrong = {
        "ad_date is no day": day.isna() | (day > pd.Timestamp.now()),
        "brand or model is missing": ads["brand"].isna() | ads["model"].isna(),
        "year is before 1990 or after the ad": ~ads["year"].between(1990, day.dt.year),
        "mileage_km is not within 500 and 600000": ~ads["mileage_km"].between(500, 600_000),
        "price is not within 700 and 250000 euros": ~ads["price"].between(700, 250_000),
    }
    for name, words in WORDS.items():
        ads[name] = ads[name].astype("string").str.strip().str.lower()
        wrong[f"{name} is none of {', '.join(words)}"] = ads[name].notna() & ~ads[name].isin(words)
        ads[name] = ads[name].astype(object).where(ads[name].notna(), np.nan)
    reason = pd.Series("", index=ads.index)
    for text, rows in wrong.items():
        reason[rows & (reason == "")] = text
    rejected = [(line + 2, text) for line, text in reason[reason != ""].items()]
    ads = ads[reason == ""].copy()
    ads["country"] = ads["country"].fillna("FR")
    ads["source"] = ads["source"].fillna("own")
    ads["year"], ads["mileage_km"] = ads["year"].astype(int), ads["mileage_km"].astype(int)
    on = pd.to_datetime(ads["ad_date"])
    registered = ads["year"] * 12 + ads["month"].fillna(7)
    ads["age_years"] = ((on.dt.year * 12 + on.dt.month - registered) / 12).clip(lower=0)
    same = ["brand", "model", "year", "month", "mileage_km"]
    return T.split(ads.drop_duplicates(same, keep="last").reset_index(drop=True)), rejected


def check(ads):
    """Refuses too few ads, and ads whose prices do not go with their years: whole sets are copied together wrongly."""
    if len(ads) < LEAST_ADS:
        raise Refused(f"{len(ads)} ads are left, {LEAST_ADS} are needed; import them as market ads instead")
    known = [cars for _, cars in ads.groupby(["brand", "model"]) if len(cars) >= LEAST_OF_MODEL and cars["year"].nunique() > 1]
    follows = [np.corrcoef(cars["year"], np.log(cars["price"]))[0, 1] for cars in known if cars["price"].nunique() > 1]
    follows += [0.0] * (len(known) - len(follows))
    if not known or np.median(follows) < LEAST_CORRELATION:
        raise Refused("prices do not rise with the year within a model: check that the columns belong together")


def compare(new, old, lost):
    """Refuses a model that is worse than the present one on the same cars, which neither learnt from, or that no longer
    knows makes that the present one prices."""
    if lost:
        raise Refused(f"makes without ads would no longer be priced: {', '.join(sorted(lost))}; --fewer-makes allows it")
    worse = new["all"]["median_ape"] - old["all"]["median_ape"]
    if worse > WORSE_BY:
        raise Refused(f"median error {new['all']['median_ape']} %, that of the present model {old['all']['median_ape']} %")
    if not COVERED[0] <= new["all"]["coverage_80"] <= COVERED[1]:
        raise Refused(f"the 80 % interval holds {new['all']['coverage_80']:.0%} of the ads")


def replace(fresh, folder):
    """Renames, undone where one fails: there is a whole model in place but for an instant, and one to go back to."""
    previous, older = f"{folder}.previous", f"{folder}.older"
    shutil.rmtree(older, ignore_errors=True)
    if os.path.isdir(previous):
        os.rename(previous, older)
    os.rename(folder, previous)
    try:
        os.rename(fresh, folder)
    except OSError:
        os.rename(previous, folder)
        raise
    shutil.rmtree(older, ignore_errors=True)


def retrain(path, folder, fewer_makes):
    ads, rejected = read(path)
    for line, text in rejected[:20]:
        print(f"line {line}: {text}")
    print(f"{len(ads)} ads of {len(ads) + len(rejected)} lines, each car once", flush=True)
    check(ads)
    fresh = tempfile.mkdtemp(prefix=".fresh-", dir=os.path.dirname(os.path.abspath(folder)))
    try:
        new = T.make(ads, Package(folder).encoding["trims"], fresh)
        all_cars, y = T.cars(ads), np.log(ads["price"].to_numpy(float))
        old = T.judge(folder, ads, all_cars, y, ads["split"].to_numpy() < T.HELD_OUT)
        print("present", old["all"])
        print("new    ", new["all"])
        makes = lambda model: set(Package(model).encoding["brands"])
        compare(new, old, set() if fewer_makes else makes(folder) - makes(fresh))
        os.chmod(fresh, 0o755)
        replace(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    print(f"{folder} is the new model, {folder}.previous the old one; restart what runs")


def rollback(folder):
    previous = f"{folder}.previous"
    if not os.path.isdir(previous):
        raise Refused(f"there is no {previous}")
    shutil.rmtree(f"{folder}.refused", ignore_errors=True)
    os.rename(folder, f"{folder}.refused")
    os.rename(previous, folder)
    shutil.rmtree(f"{folder}.refused")
    print(f"{folder} is the previous model again; restart what runs")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("ads", nargs="?")
    options.add_argument("--model", default="../model")
    options.add_argument("--fewer-makes", action="store_true")
    options.add_argument("--rollback", action="store_true")
    options = options.parse_args()
    try:
        if options.rollback:
            rollback(options.model.rstrip("/"))
        elif options.ads:
            retrain(options.ads, options.model.rstrip("/"), options.fewer_makes)
        else:
            raise Refused("give a CSV of ads, or --rollback")
    except Refused as why:
        sys.exit(f"refused: {why}")


if __name__ == "__main__":
    main()
