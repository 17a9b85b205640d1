"""Turns the facts of a car into the numbers the model sees.

`src/features.rs` does the same at run time; `golden.json` proves that both agree.
"""

import math
import re
import unicodedata

FUELS = ["petrol", "diesel", "hybrid", "plugin_hybrid", "electric", "lpg", "cng", "ethanol", "other"]
BODIES = ["suv", "sedan_hatch", "estate", "city", "van", "coupe", "cabriolet", "pickup"]
COUNTRIES = ["FR", "DE", "IT", "BE"]
LEVELS = ["brand", "model", "model_fuel", "model_trim", "model_power", "model_generation"]
SMOOTHING = {"brand": 30, "model": 12, "model_fuel": 12, "model_trim": 12, "model_power": 8, "model_generation": 12}
UNKNOWN = -1.0


def normalise(text):
    """Lower case without accents; anything but letters, digits, '.', '+' and '!' separates words."""
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c)).lower()
    return " ".join(re.sub(r"[^a-z0-9.+!]", " ", text).split())


def trim_of(words, trims):
    """The longest known finish found as whole words in a normalised version text."""
    padded = f" {words} "
    return next((t for t in trims if f" {t} " in padded), "")


def engine_litres(words):
    """Displacement written like '1.5' in a normalised version text."""
    for word in words.split():
        if re.fullmatch(r"[0-9]\.[0-9]", word) and 0.6 <= float(word) <= 8.0:
            return float(word)
    return UNKNOWN


def keys(car, trims):
    """One key per level, from the coarsest to the finest."""
    model = f"{car['brand']}|{car['model']}"
    power = int(car["power_hp"]) // 10 if car["power_hp"] > 0 else -1
    return {
        "brand": car["brand"],
        "model": model,
        "model_fuel": f"{model}|{car['fuel'] or '?'}",
        "model_trim": f"{model}|{trim_of(car['version'], trims)}",
        "model_power": f"{model}|{power}",
        "model_generation": f"{model}|{car['year'] // 2}",
    }


def encoded(car_keys, tables, overall):
    """Smoothed encodings of a car, each falling back on its parent."""
    out = {}
    for level in LEVELS:
        parent = overall if level == "brand" else out["brand"] if level == "model" else out["model"]
        total, count = tables[level].get(car_keys[level], (0.0, 0))
        weight = SMOOTHING[level]
        out[level] = (total + weight * parent) / (count + weight)
    return out


def names(words):
    return (
        ["age", "km", "hp", "doors", "seats"]
        + [f"fuel_{f}" for f in FUELS[:6]]
        + ["gearbox", "body", "country", "months", "month", "engine_l", "fiscal_hp"]
        + [f"enc_{level}" for level in LEVELS]
        + ["ln_model_ads"]
        + [f"word_{w}" for w in words]
    )


def row(car, enc, model_ads, words):
    """The feature vector. `car` holds normalised texts and -1 for unknown numbers."""
    present = set(car["version"].split())
    return (
        [car["age"], car["mileage_km"] / 1000.0, car["power_hp"], car["doors"], car["seats"]]
        + [1.0 if car["fuel"] == f else 0.0 for f in FUELS[:6]]
        + [
            {"manual": 0.0, "automatic": 1.0}.get(car["gearbox"], UNKNOWN),
            float(BODIES.index(car["body"])) if car["body"] in BODIES else UNKNOWN,
            float(COUNTRIES.index(car["country"])) if car["country"] in COUNTRIES else UNKNOWN,
            car["months"],
            car["month"],
            engine_litres(car["version"]),
            car["fiscal_hp"],
        ]
        + [enc[level] for level in LEVELS]
        + [math.log1p(model_ads)]
        + [1.0 if w in present else 0.0 for w in words]
    )
