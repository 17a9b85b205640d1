"""Builds the catalogue of makes, models and versions that the form of a car completes from.

It is a statistic of names over used-car ads in euros: a name is kept from LEAST ads on, and no ad is in the result.
Usage: python3 build.py ../shared/pricing > catalogue.json
The folder holds ads_eur_train.csv.gz and trim_tokens.txt. The same input gives the same output, byte by byte.
"""

import csv
import gzip
import json
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

LEAST, MOST_VERSIONS = 8, 12
# A version is one that is sold in France: it stands in so many ads from there, among its LEAST.
LEAST_FRENCH = 3

MAKES = {
    "citroen": "Citroën", "skoda": "Škoda", "mercedes": "Mercedes-Benz", "mclaren": "McLaren", "ssangyong": "SsangYong",
    "dr automobiles": "DR Automobiles", "lynk & co": "Lynk & Co",
} | {make: make.upper() for make in ("bmw", "byd", "dfsk", "ds", "evo", "gmc", "gwm", "kgm", "mg", "ora")}
SAME_MAKE = {"aston": "aston martin", "land": "land rover", "corvette": "chevrolet"}

# What is counted under another family than the data's: make, family, what its name in the ad must match, family.
# None leaves the ad out of the models (a mixture, or no name of a model), not out of the make.
FAMILIES: list[tuple[str, str, str, str | None]] = [
    ("abarth", r"595 .*", "", "595"), ("alfa romeo", r"romeo (.+)", "", r"\1"), ("aston martin", r"martin (.+)", "", r"\1"),
    ("audi", r"(a[46])", r".*allroad", r"\1 allroad"), ("audi", "e tron gt", "rs .*", "rs e tron gt"),
    ("audi", "s([68])|sq8", ".*e tron", None),
    ("audi", "sq6", "", "sq6 e tron"), ("bmw", "active", r"active hybrid ([3-7])", r"serie \1"), ("bmw", "active|m1", "", None),
    ("byd", "(atto|seal|sealion)", r"(\w+ \d)", r"\2"), ("byd", "atto|sealion", "", None), ("chevrolet", r"c8|z06", "", "corvette"),
    ("citroen", "c4 picasso", "c4 space.*", "c4 spacetourer"), ("cupra", "formentor.*", "", "formentor"),
    ("citroen", "grand c4 picasso", "grand c4 space.*", "grand c4 spacetourer"), ("citroen", "ds", "", None),
    ("fiat", "punto", "(punto evo|grande punto)", r"\1"), ("ford", "focus c max", "", "c max"), ("ford", "tourneo", "", None),
    ("ford", "grand tourneo", "", "grand tourneo connect"), ("ford", "ranger raptor", "", "ranger"),
    ("hyundai", "ioniq", r"(ioniq \d)", r"\1"), ("kia", "(ceed )?cee d", "", "ceed"), ("kia", "pro.*", "", "proceed"),
    ("land rover", "rover .*", "rover (.+)", r"\1"), ("lexus", r"([a-z]{2,3}) .*", "", r"\1"), ("mazda", "mazda3", "", "3"),
    ("mercedes", "benz", r"benz (?:classe )?(cl[a-z]|[eg]\w\w)\b.*", r"\1"), ("mercedes", "benz", r"benz (classe \w)\b.*", r"\1"),
    ("mercedes", "benz|ancien", "", None), ("mini", "coupe", "", None), ("opel", "combo vp", "", "combo"),
    ("porsche", "99[1-7]", "", "911"), ("seat", "leon e hybrid", "", "leon"), ("skoda", "rapid .*", "", "rapid"),
    ("toyota", "verso", "verso s", "verso s"), ("toyota", "c hr", r"c hr\+", None),
]

# Families whose name the rules of `named` would write wrongly: "make: name as a French ad writes it, ...".
NAMES = """
alfa romeo: MiTo
audi: e-tron, e-tron GT, RS e-tron GT, Q4 e-tron, Q6 e-tron, Q8 e-tron, A6 e-tron, SQ6 e-tron, TTS
bmw: i3, i4, i5, i7, i8, iX, iX1, iX2, iX3
citroen: C-Élysée, SpaceTourer, C4 SpaceTourer, Grand C4 SpaceTourer
ford: B-Max, C-Max, S-Max, Grand C-Max, EcoSport, F-150, Mustang Mach-E
hyundai: i10, i20, i30, i40, ix20, ix35, H-1, Santa Fe
isuzu: D-Max
jaguar: E-Pace, F-Pace, I-Pace, F-Type
kia: ProCeed, XCeed, e-Niro
lexus: LBX
maserati: GranTurismo
mazda: 6e, CX-3, CX-5, CX-7, CX-30, CX-60, CX-80, MX-5, MX-30
mercedes: AMG GT, CLA, CLE, CLS, EQA, EQB, EQC, EQE, EQS, EQT, EQV, GLA, GLB, GLC, GLE, GLK, GLS, SLC, SLK
mg: EHS
microcar: M.Go
mitsubishi: ASX
nissan: X-Trail
peugeot: RCZ, iOn
renault: Mégane, Mégane E-Tech, Scénic, Grand Scénic
suzuki: S-Cross, SX4 S-Cross
toyota: C-HR, bZ4X, iQ, Verso-S
volkswagen: T-Roc, T-Cross
"""
RENAMED = {
    ("audi", "ttrs"): "TT RS", ("dr automobiles", "dr4.0"): "DR 4.0", ("honda", "cr"): "CR-V", ("honda", "hr"): "HR-V",
    ("honda", "zr"): "ZR-V", ("mercedes", "marco"): "Marco Polo", ("mini", "cabrio"): "Cabriolet",
    ("ford", "ka"): "Ka", ("nissan", "qashqai+2"): "Qashqai+2",
    ("smart", "1"): "#1", ("smart", "3"): "#3", ("smart", "5"): "#5", ("toyota", "prius plus"): "Prius+",
    ("volkswagen", "up"): "Up!", ("volkswagen", "id.buzz"): "ID. Buzz", ("dodge", "ram"): "RAM",
}

# Engines, the first that is found: how it is written, how it is found; the power follows, or words between them.
ENGINES = {
    "Blue dCi": "blue ?dci|dci blue", "dCi": "dci", "TCe": "e?tce", "SCe": "sce", "Eco-G": "eco ?g", "E-Tech": "e ?tech",
    "DIG-T": "dig ?t", "IG-T": "ig ?t", "e-Power": "e ?power", "EcoBlue": "ecoblue", "EcoBoost": "ecoboost", "TDCi": "tdci",
    "Flexifuel": "flexifuel", "T-GDi": "t ?gdi", "CRDi": "crdi", "e-Hybrid": "e ?hybrid",
    "Hybrid4": "hybrid4", "Mild Hybrid": "mild hybride?",
    "Hybrid": "(?:turbo )?(?:full )?hybride?", "PureTech": "pure ?tech", "BlueHDi": "blue ?hdi", "e-HDi": "e ?hdi",
    "HDi": "hdi", "THP": "thp", "VTi": "vti", "E-Tense": "e ?tense", "eTSI": "e ?tsi", "EcoTSI": "ecotsi", "TSI": "tsi",
    "TFSI e": "tfsi ?e", "TFSI": "tfsi", "TDI": "tdi", "MPI": "mpi", "CDTI": "cdti", "JTDm": "jtdm?", "Multijet": "multijet|mjt",
    "Skyactiv-G": "(?:e )?skyactiv g", "Skyactiv-D": "skyactiv d", "Boosterjet": "boosterjet", "D-4D": "d ?4d",
    "TD4": "td4", "eD4": "ed4", "PHEV": "phev", "4xe": "4xe",
}
BETWEEN = (
    "mild|full|hybride?|plug|in|rechargeable|electric|electrique|ev(?: ?[0-9]0)?|evo2?|scr|cod|act|opf|gpf|fap|bmt|bluemotion|technology"
    "|energy|s|stop|start|4x2|4x4|ultra|clean|ecoflex"
)
POWER = rf"(?: (?:{BETWEEN})\b)* ?(\d{{2,3}}) ?(?:ch|cv|hp|ps)?\b(?! ?(?:kwh?|km|mm)\b)"
FOUND = [(name, re.compile(rf"\b(?:{pattern}){POWER}")) for name, pattern in ENGINES.items()]
LITRES = re.compile(r"\b([0-3]\.\d)(?: (?:8v|12v|16v|vvt i|mpi|twinport|turbo))? (\d{2,3}) ?(?:ch|cv)\b")
VOLVO = r"\b([tdb][2-8])\b"
BRITISH = r"\b([dp]\d{3}e?)\b"
# Makes that name their engines by numbers or letters.
NUMBERED = {
    "audi": [(r"\b(25|30|35|40|45|50|55|60) ?(tfsi ?e|tfsi|tdi)\b", "{0} {1}")],
    "bmw": [
        (r"\b(m?[1-8]\d\d) ?([die])a?\b", "{0}{1}"), (r"\b([sx])drive ?(\d\d) ?([die])a?\b", "{0}Drive{1}{2}"),
        (r"\bedrive ?(\d\d)\b", "eDrive{0}"),
    ],
    "jaguar": [(BRITISH, "{0}")],
    "land rover": [(BRITISH, "{0}")],
    "lexus": [(r"\b(\d{3}(?:h\+?|e))(?= |$)", "{0}")],
    "mercedes": [
        (r"\b(35|43|45|53|55|63)(?: s)? amg\b|\bamg (35|43|45|53|55|63)\b", "{0} AMG"),
        (r"\b([1-6][0-9]0) ?(de|d|e|cdi)?\b(?! ?(?:ch|cv|hp|ps)\b)", "{0} {1}"),
    ],
    "mini": [
        (r"\b(john cooper works|jcw)\b", "John Cooper Works"), (r"\bcooper (sd|se|s|d|e|c)\b", "Cooper {0}"),
        (r"\b(one d)\b", "One D"), (r"\b(cooper)\b", "Cooper"), (r"\b(one)\b", "One"), (r"\bcountryman (se|s|d|e|c)\b", "{0}"),
    ],
    "porsche": [(r"\b(gts|4s|carrera(?: (?:4s|4|s))?)\b", "{0}")],
    "renault": [(r"\b(r(?:90|110|135))\b", "{0}")],
    "toyota": [(r"\b(\d{3}h)\b", "{0}"), (r"\b(?:vvt i (\d{2,3})|(\d{2,3}) vvt i)\b", "VVT-i {0}")],
    "volvo": [(VOLVO, "{0}")],
}

# Finishes beside those of trim_tokens.txt; words of that list that say too little; those that are finishes of these makes alone.
MORE_FINISHES = [
    "business design", "stepway expression", "stepway confort", "stepway extreme", "stepway essentiel", "stepway prestige",
    "gr sport", "urban cross", "standard range plus", "long range", "comfortline", "pack m", "m sport design", "performance",
    "grande autonomie", "standard plus", "propulsion", "plaid",
]
DROPPED = {
    "80th", "amg", "bose", "drive", "first edition", "launch", "lusso", "mirror", "riva", "s tronic plus", "sl",
    "team deutschland", "vision",
}
MEANT = """
abarth: competition
alfa romeo: ti, super, veloce, executive, business, sprint
audi: design, sport, advanced, competition, ambition, business, executive, edition one
bmw: sport, lounge, luxury, business, exclusive, competition, ultimate, executive
citroen: feel, shine, max, plus, you, live, c series, business, exclusive, confort
cupra: business edition
dacia: expression, confort, extreme, journey, essential, prestige, business, access
ds: performance line, chic, executive, business, opera, prestige, premium
fiat: lounge, pop, cross, sport, star, club, business, icon, urban cross, life
ford: titanium, trend, active, business, ghia, limited, sport, gt
honda: executive, exclusive, sport, elegance
hyundai: creative, executive, business, edition 1, premium, style
jaguar: prestige, se, hse
jeep: limited, summit
kia: active, design, premium, motion, business, black edition
land rover: dynamic, hse, se, vogue, business
lexus: executive, luxury
mazda: exclusive, signature, style, sport
mercedes: executive, inspiration, elegance, business edition, edition 1
mg: luxury, comfort
mini: chili, business, essential
mitsubishi: business
nissan: business edition
opel: edition, elegance, ultimate, gs, innovation, design, cosmo, business, enjoy, edition 1, black edition, business edition, color edition
peugeot: style, active, gt, like, business, signature, premium, premium pack, access, gti
renault: business, evolution, techno, zen, limited, equilibre, life, iconic, expression, initiale, gt, rs
seat: fr, style, business, reference, urban, cupra
skoda: ambition, style, business, clever, elegance, rs, sport, scout, active
smart: passion, premium
suzuki: privilege, style, sport
tesla: long range, standard range plus, performance, grande autonomie, standard plus, propulsion, plaid
toyota: dynamic, design, collection, lounge, active, business, iconic, france, ultimate, trail
volkswagen: life, carat, lounge, style, active, exclusive, business, elegance, gti, gtd, gte, match, sound, cross, sport
volvo: inscription, momentum, plus, ultimate, business, cross country, signature, executive
"""
WRITTEN = {
    "acenta": "Acenta", "amg line": "AMG Line", "c series": "C-Series", "comfortline": "Confortline", "cool connect": "Cool & Connect",
    "elegance": "Élégance", "equilibre": "Équilibre", "f sport": "F Sport", "fr": "FR", "gr sport": "GR Sport", "gs": "GS",
    "gs line": "GS Line", "gt": "GT", "gt line": "GT Line", "gt pack": "GT Pack", "gtd": "GTD", "gte": "GTE", "gti": "GTI",
    "hse": "HSE", "iq drive": "IQ.Drive", "iq.drive": "IQ.Drive", "m sport design": "M Sport", "msport": "M Sport", "pack m": "M Sport",
    "n connecta": "N-Connecta", "n design": "N-Design", "n line": "N Line", "r design": "R-Design", "r dynamic": "R-Dynamic",
    "r line": "R-Line", "rs": "RS", "rs line": "R.S. Line", "s line": "S line", "se": "SE", "st line": "ST-Line", "essentiel": "Essentiel",
    "x line": "xLine", "xline": "xLine", "ti": "Ti", "laureate": "Lauréate", "standard plus": "Standard Range Plus",
    "reference": "Référence",
}


def plain(text: str) -> str:
    """Lower case without accents, every sign between words one space."""
    text = unicodedata.normalize("NFKD", text.replace("\\u0026", "&").lower())
    text = "".join(sign for sign in text if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9.+!#]+", " ", re.sub(r"(?<=\d),(?=\d)", ".", text)).strip()


def listed(table: str) -> dict[str, list[str]]:
    """Reads the lines "make: one, two" of a table."""
    lines = (line.split(": ") for line in table.strip().splitlines())
    return {make: names.split(", ") for make, names in lines}


FINISHES_OF = {make: set(names) for make, names in listed(MEANT).items()}
NOT_OF_ALL = DROPPED.union(*FINISHES_OF.values())
SPELLINGS = RENAMED | {(make, plain(name)): name for make, names in listed(NAMES).items() for name in names}


def named(make: str, family: str) -> str:
    """A family as a French reader writes it."""
    family = family.replace("serie ", "série ")
    words = (word.upper() if re.search(r"\d", word) or len(word) < 3 else word.capitalize() for word in family.split())
    return SPELLINGS.get((make, family)) or " ".join(word.replace("Id.", "ID.") for word in words)


def family_of(make: str, ad: dict[str, str]) -> str | None:
    """The family that an ad is counted under."""
    family, raw = ad["model"], plain(ad["model_raw"])
    if family == "megane" and ad["fuel"] == "electric":
        return "megane e tech"
    if family == "ka ka+":  # one entry on the site for both; the Ka+ followed the Ka in 2016
        return "ka+" if ad["year"] > "2016" else "ka"
    for of, model, written, instead in FAMILIES:
        whole = re.fullmatch(f"(?:{model})" + (f"\n(?:{written})" if written else "\n.*"), f"{family}\n{raw}") if of == make else None
        if whole:
            return instead and whole.expand(instead)
    return family


def engine_of(make: str, family: str, fuel: str, text: str) -> str | None:
    """The label of the engine in a text, or None."""
    for pattern, label in NUMBERED.get(make, []):
        if found := re.search(pattern, text):
            parts = [part for part in found.groups() if part]
            if make == "mercedes" and "AMG" not in label and (len(parts) == 1) != (fuel in ("petrol", "hybrid")):
                continue  # "180" is a petrol engine; a diesel without its letter may be a "d" or a "CDI"
            if make == "bmw" and "Drive" not in label and parts[0][-3] != family[-1]:
                continue
            shown = [tidy(part, make) for part in parts] + [""]
            return label.format(*shown).strip()
    for name, engine in FOUND:
        if (found := engine.search(text)) and int(found[1]) >= (50 if name != "E-Tech" else 80):
            return f"{name} {found[1]}"
    found = LITRES.search(text)
    return f"{found[1]} {found[2]} ch" if found else None


def tidy(part: str, make: str) -> str:
    """A part of the label of a numbered engine as it is written."""
    if make == "audi":
        return {"tdi": "TDI", "tfsi": "TFSI"}.get(part, "TFSI e" if part.startswith("tfsi") else part)
    if make == "porsche":
        return " ".join(word.upper() if len(word) < 4 else word.capitalize() for word in part.split())
    if make in ("mini", "renault", "volvo", "jaguar", "land rover"):
        return part[:-1].upper() + "e" if re.fullmatch(r"p\d+e", part) else part.upper()
    return part.replace("cdi", "CDI").replace("m", "M") if make in ("mercedes", "bmw") else part


def finishes_in(make: str, pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """The finishes in a text, the longest of those that overlap."""
    for word in pattern.findall(text):
        if word not in NOT_OF_ALL or word in FINISHES_OF.get(make, ()):
            yield WRITTEN.get(word) or " ".join(WRITTEN.get(part, part.capitalize()) for part in word.split())


def joined(labels: Counter[str]) -> Counter[str]:
    """Counts a power one off the same engine's more frequent one with it: 82 and 83 are one engine."""
    kept: Counter[str] = Counter()
    for label, count in sorted(labels.items(), key=lambda each: (-each[1], each[0])):
        stem, _, power = label.rpartition(" ")
        near = [f"{stem} {int(power) + off}" for off in (-1, 1)] if stem and power.isdecimal() else []
        kept[next((other for other in near if other in kept), label)] += count
    return kept


def ranked(counts: Iterable[tuple[str, int]]) -> list[str]:
    """Names, the most frequent first."""
    return [name for name, _ in sorted(counts, key=lambda each: (-each[1], each[0]))]


def model_entry(name: str, ads: list[dict[str, str]], versions: Counter[str], french: Counter[str]) -> dict[str, object]:
    """What the catalogue says of one model."""
    years = sorted(int(ad["year"]) for ad in ads)
    fuels = Counter(ad["fuel"] for ad in ads if ad["fuel"])
    versions, french = joined(versions), joined(french)
    sold = [(label, french[label]) for label, count in versions.items() if count >= LEAST and french[label] >= LEAST_FRENCH]
    return {
        "model": name, "ads": len(ads), "from": years[len(years) * 2 // 100], "until": years[(len(years) - 1) * 98 // 100],
        "fuels": ranked((fuel, count) for fuel, count in fuels.items() if fuel != "other" and count >= max(3, 0.03 * fuels.total())),
        "versions": ranked(sold)[:MOST_VERSIONS],
    }


def build(folder: Path) -> list[dict[str, object]]:
    """Reads the ads and gives the catalogue."""
    finishes = (folder / "trim_tokens.txt").read_text("utf-8").split("\n") + MORE_FINISHES
    words = sorted({word for word in finishes if word}, key=lambda word: (-len(word), word))
    pattern = re.compile(rf"(?<![\w.+])(?:{'|'.join(map(re.escape, words))})(?![\w.])")
    makes: Counter[str] = Counter()
    models: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    versions: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    french: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    with gzip.open(folder / "ads_eur_train.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for ad in csv.DictReader(file):
            make = SAME_MAKE.get(ad["brand"], ad["brand"])
            makes[make] += 1
            if not (family := family_of(make, ad)):
                continue
            key = make, named(make, family)
            models[key].append(ad)
            version = plain(ad["version"])
            labels = set(finishes_in(make, pattern, version.replace(family, " ")))
            if engine := engine_of(make, family, ad["fuel"], f"{plain(ad['model_raw'])} {version}"):
                labels.add(engine)
            versions[key].update(labels)
            if ad["country"] == "FR":
                french[key].update(labels)
    catalogue = []
    for make in sorted((make for make, count in makes.items() if count >= LEAST), key=plain):
        known = [key for key, ads in models.items() if key[0] == make and len(ads) >= LEAST]
        known.sort(key=lambda key: (-len(models[key]), key))
        entries = [model_entry(key[1], models[key], versions[key], french[key]) for key in known]
        catalogue.append({"make": MAKES.get(make) or make.title(), "ads": makes[make], "models": entries})
    return catalogue


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    json.dump(build(Path(sys.argv[1])), sys.stdout, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.write("\n")
