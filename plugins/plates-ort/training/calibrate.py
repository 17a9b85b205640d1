"""Fits what the reader's confidence is worth, and from which on nobody has to be asked, into its card.

Reads what `keroxio eval plates --data … --details` printed, of one or several sets, with a card without
`calibration`. Confidences become shares of right readings by isotonic regression; the threshold is the lowest one
at which at most --wrong of the accepted readings of all sets together were wrong.
"""

import argparse
import json
import re
from pathlib import Path


# Texts of no French series are never accepted, however sure the reader is.
FRENCH = re.compile(r"W?[A-Z]{1,2}\d{3}[A-Z]{2}|\d{1,4}[A-Z]{1,3}(?:\d{2}|2[AB]|97\d)")


def isotonic(points: list) -> list:
    """Rising shares: neighbours that would fall are pooled. Points are (raw, right), sorted."""
    blocks = []
    for raw, right in points:
        blocks.append([raw, raw, float(right), 1])
        while len(blocks) > 1 and blocks[-2][2] / blocks[-2][3] >= blocks[-1][2] / blocks[-1][3]:
            last = blocks.pop()
            blocks[-1] = [blocks[-1][0], last[1], blocks[-1][2] + last[2], blocks[-1][3] + last[3]]
    # One failure and one success are added to each block: a handful of photos proves no certainty.
    return [((low + high) / 2, (right + 1) / (count + 2)) for low, high, right, count in blocks if count >= 8]


def threshold(points: list, wrong: float) -> float:
    """The lowest raw value above which few enough are wrong."""
    best, accepted, errors = 1.0, 0, 0
    for raw, right in reversed(points):
        accepted, errors = accepted + 1, errors + (not right)
        if errors <= wrong * accepted:
            best = raw
    return best


def value_at(knots: list, raw: float) -> float:
    for (x0, y0), (x1, y1) in zip(knots, knots[1:]):
        if raw <= x1:
            return y0 + (y1 - y0) * max(0.0, raw - x0) / max(x1 - x0, 1e-9)
    return knots[-1][1]


def main():
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--card", type=Path, required=True)
    ask.add_argument("--wrong", type=float, default=0.0025)
    ask.add_argument("details", type=Path, nargs="+")
    given = ask.parse_args()
    card = json.loads(given.card.read_text())
    if card.get("calibration"):
        raise SystemExit("the card has a calibration already: measure again without it")
    rows = [json.loads(line) for path in given.details for line in path.read_text().splitlines() if line.startswith('{"file"')]
    points = sorted((row["confidence"], row["right"]) for row in rows if row["confidence"] is not None and row["french"])
    if len(points) < 300:
        raise SystemExit(f"{len(points)} readings are too few: did `keroxio eval plates` run with --details?")
    knots = [(0.0, 0.0), *isotonic(points)]
    knots = [(x, min(y, 0.9995)) for x, y in knots] + [(1.0, max(knots[-1][1], 0.9995))]
    accepted = sorted((row["confidence"], row["right"]) for row in rows if row["confidence"] and FRENCH.fullmatch(row["text"]))
    line = threshold(accepted, given.wrong)
    taken = [right for raw, right in accepted if raw >= line]
    card["calibration"] = [[round(x, 5), round(y, 5)] for x, y in knots]
    card["accept_from"] = round(value_at(knots, line), 5)
    card["calibrated_on"] = {"photos": len(rows), "accepted": len(taken), "wrong": len(taken) - sum(taken), "raw_threshold": round(line, 5)}
    given.card.write_text(json.dumps(card, indent=2) + "\n")
    print(json.dumps({"accept_from": card["accept_from"], **card["calibrated_on"]}))


if __name__ == "__main__":
    main()
