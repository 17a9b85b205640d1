"""Turns the facts of a car into the numbers the model sees.

`src/features.rs` does the same at run time; `golden.json` proves that both agree.
"""

import math
import re
import unicodedata

FUELS = ["petrol", "diesel", "hybrid", "plugin_hybrid", "electric", "lpg", "cng", "ethanol", "other"]
BODIES = ["suv", "sedan_hatch", "estate", "city", "van", "coupe", "cabriolet", "pickup"]
COUNTRIES = ["FR", "DE", "IT", "BE"]
LEVELS = [
    "brand", "model", "model_fuel", "model_trim", "model_power", "model_gearbox", "model_engine", "model_start", "model_body",
    "model_country", "hp_fuel", "hp_fuel_gearbox_engine", "trim_power", "trim_power_fuel_gearbox",
]
# Every other level falls back on the model.
PARENTS = {
    "brand": "", "model": "brand", "hp_fuel": "model_power", "hp_fuel_gearbox_engine": "hp_fuel", "trim_power": "model_trim",
    "trim_power_fuel_gearbox": "trim_power",
}
SMOOTHING = {
    "brand": 30, "model": 12, "model_fuel": 12, "model_trim": 12, "model_power": 8, "model_gearbox": 12,
    "model_engine": 12, "model_start": 6, "model_body": 10, "model_country": 20, "hp_fuel": 6, "hp_fuel_gearbox_engine": 5,
    "trim_power": 6, "trim_power_fuel_gearbox": 5, "generation": 10, "word": 30, "model_word": 15,
}
SLOPES = ["age", "km"]
# Markets so many months before the newest ad, or more, are alike.
OLDEST_MARKET = 12.0
# The networks look up the model, the make and the first known words of the version by their places in lists.
WORDS_READ = 14
INDEX = ["index_model", "index_brand"] + [f"index_word_{n}" for n in range(WORDS_READ)]
POWER_UNITS = ["ch", "cv", "hp", "ps"]
ENGINE_WORDS = [
    "dci", "tce", "hdi", "bluehdi", "puretech", "tdi", "tsi", "tfsi", "cdi", "crdi", "sce", "vti", "thp", "jtd", "multijet",
    "tdci", "ecoboost", "cdti", "d4d", "vvti", "mpi", "gdi",
]
FIRST_RECENT_YEAR = 2023
UNKNOWN = -1.0


def normalise(text):
    """Lower case without accents; anything but letters, digits, '.', '+' and '!' separates words."""
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c)).lower()
    return " ".join(re.sub(r"[^a-z0-9.+!]", " ", text).split())


def unglue(words):
    """'308sw' is '308 sw', 'clio4' is 'clio 4', '1.5dci' is '1.5 dci'; but 'c4', '118d' and '16v' are names."""
    words = re.sub(r"([0-9])(?=[a-z]{2})", r"\1 ", words)
    return re.sub(r"([a-z]{3})(?=[0-9])", r"\1 ", words)


def trim_of(words, trims):
    """The longest known finish found as whole words in a normalised version text."""
    padded = f" {words} "
    return next((t for t in trims if f" {t} " in padded), "")


def engine_litres(car):
    """Displacement written like '1.5' in the version text; an electric car has none."""
    if car["fuel"] != "electric":
        for word in car["version"].split():
            if re.fullmatch(r"[0-9]\.[0-9]", word) and 0.6 <= float(word) <= 8.0:
                return float(word)
    return UNKNOWN


def power(car):
    """Horsepower as declared, else as written in the version: '90 ch', 'dci 90'."""
    if 20 <= car["power_hp"] <= 1500:
        return car["power_hp"]
    words = [""] + car["version"].split() + [""]
    for before, word, after in zip(words, words[1:], words[2:]):
        plausible = word.isdigit() and len(word) <= 3 and 40 <= int(word) <= 700
        if plausible and (after in POWER_UNITS or before in ENGINE_WORDS):
            return float(word)
    return UNKNOWN


def keys(car, trims):
    """One key per level, from the coarsest to the finest."""
    model = f"{car['brand']}|{car['model']}"
    horses, litres = power(car), engine_litres(car)
    fuel, gearbox, trim = car["fuel"] or "?", car["gearbox"] or "?", trim_of(car["version"], trims)
    tens, tenths = int(horses) // 10 if horses > 0 else -1, int(litres * 10 + 0.5) if litres > 0 else -1
    return {
        "brand": car["brand"],
        "model": model,
        "model_fuel": f"{model}|{fuel}",
        "model_trim": f"{model}|{trim}",
        "model_power": f"{model}|{tens}",
        "model_gearbox": f"{model}|{gearbox}",
        "model_engine": f"{model}|{tenths}",
        "model_start": f"{model}|{' '.join(car['version'].split()[:2])}",
        "model_body": f"{model}|{car['body'] or '?'}",
        "model_country": f"{model}|{car['country'] or '?'}",
        "hp_fuel": f"{model}|{int(horses)}|{fuel}",
        "model_power_fuel": f"{model}|{tens}|{fuel}",
        "hp_fuel_gearbox_engine": f"{model}|{int(horses)}|{fuel}|{gearbox}|{tenths}",
        "trim_power": f"{model}|{trim}|{tens}",
        "trim_power_fuel_gearbox": f"{model}|{trim}|{tens}|{fuel}|{gearbox}",
    }


def smoothed(cell, parent, weight):
    total, count = cell or (0.0, 0)
    return (total + weight * parent) / (count + weight)


def encoded(car_keys, tables, overall):
    """Smoothed encodings of a car, each falling back on its parent."""
    out = {"": overall}
    for level in LEVELS:
        parent = out[PARENTS.get(level, "model")]
        out[level] = smoothed(tables[level].get(car_keys[level]), parent, SMOOTHING[level])
    return [out[level] for level in LEVELS]


def slopes(car_keys, tables):
    """How fast the model loses value with age and mileage, beside all cars; the make's where the model is unknown."""
    known = lambda table: table.get(car_keys["model"], table.get(car_keys["brand"], 0.0))
    return [known(tables[name]) for name in SLOPES]


def generation(model, year, generations, otherwise):
    """Level of the newest generation not younger than the car: never falls when the registration year rises."""
    steps = generations.get(model)
    if not steps:
        return otherwise
    known = [value for first, value in steps if first <= year]
    return known[-1] if known else steps[0][1]


def generation_levels(car_keys, year, generations, otherwise):
    """Of the model, and of the model with this power and fuel where that has ads enough, else of the model again."""
    of_model = generation(car_keys["model"], year, generations, otherwise)
    return [of_model, generation(car_keys["model_power_fuel"], year, generations, of_model)]


def months_ago(on, newest_month):
    """Months between the day of the estimate and the newest ad: none where the estimate is newer, so that the last known
    market goes on."""
    year, month = int(on[:4]), int(on[5:7])
    return float(min(max(newest_month - (year * 12 + month), 0), OLDEST_MARKET))


def word_levels(car, tables):
    """Mean, least and largest effect of the version's words on the price of this model."""
    effects = []
    for word in dict.fromkeys(car["version"].split()):
        cell = tables["word"].get(word)
        if cell:
            general = smoothed(cell, 0.0, SMOOTHING["word"])
            own = tables["model_word"].get(f"{car['brand']}|{car['model']}|{word}")
            effects.append(smoothed(own, general, SMOOTHING["model_word"]))
    return [sum(effects) / len(effects), min(effects), max(effects)] if effects else [0.0, 0.0, 0.0]


def indexes(car, car_keys, places):
    """Places in the lists of the networks, from 1: 0 is what they do not know. Words each once, in their order."""
    words = [places["words"][word] for word in dict.fromkeys(car["version"].split()) if word in places["words"]]
    words = (words + [0] * WORDS_READ)[:WORDS_READ]
    return [float(n) for n in [places["models"].get(car_keys["model"], 0), places["brands"].get(car["brand"], 0)] + words]


def names(words):
    return (
        ["age", "km", "hp", "doors", "seats"]
        + [f"fuel_{f}" for f in FUELS[:6]]
        + ["gearbox", "body", "country", "recent_market", "market_months_ago", "engine_l"]
        + [f"enc_{level}" for level in LEVELS]
        + [f"slope_{name}" for name in SLOPES]
        + ["enc_generation", "enc_generation_power", "word_mean", "word_min", "word_max", "ln_model_ads"]
        + [f"flag_{w}" for w in words]
        + INDEX
    )


def row(car, encoding, car_keys=None):
    """The feature vector. `car` holds normalised texts and -1 for unknown numbers."""
    tables = encoding["tables"]
    car_keys = car_keys or keys(car, encoding["trims"])
    levels = encoded(car_keys, tables, encoding["overall"])
    present = set(car["version"].split())
    return (
        [car["age"], car["mileage_km"] / 1000.0, power(car), car["doors"], car["seats"]]
        + [1.0 if car["fuel"] == f else 0.0 for f in FUELS[:6]]
        + [
            {"manual": 0.0, "automatic": 1.0}.get(car["gearbox"], UNKNOWN),
            float(BODIES.index(car["body"])) if car["body"] in BODIES else UNKNOWN,
            float(COUNTRIES.index(car["country"])) if car["country"] in COUNTRIES else UNKNOWN,
            1.0 if int(car["on"][:4]) >= FIRST_RECENT_YEAR else 0.0,
            months_ago(car["on"], encoding["newest_month"]),
            engine_litres(car),
        ]
        + levels
        + slopes(car_keys, encoding["slopes"])
        + generation_levels(car_keys, car["year"], encoding["generations"], levels[1])
        + word_levels(car, tables)
        + [math.log1p(tables["model"].get(car_keys["model"], (0.0, 0))[1])]
        + [1.0 if w in present else 0.0 for w in encoding["words"]]
        + indexes(car, car_keys, encoding["places"])
    )
