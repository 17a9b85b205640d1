"""Reads crops of real plates, cut by their true boxes, and counts those read exactly. Nothing trains on them."""

import argparse
import csv
import json
import re
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from flat_plates import ALPHABET

HIGH, WIDE = 64, 192


class Reader:
    def __init__(self, model: Path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(model), options)

    def read(self, rgb: np.ndarray) -> tuple[str, float]:
        """The text, and the lowest probability of its slots (blank ones included)."""
        shrink = rgb.shape[1] > WIDE
        small = cv2.resize(rgb, (WIDE, HIGH), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)
        planes = (small.astype(np.float32) / 255 - 0.5) / 0.5
        slots = self.session.run(None, {"rgb": planes.transpose(2, 0, 1)[None]})[0][0]
        text = "".join((ALPHABET + " ")[best] for best in slots.argmax(1)).replace(" ", "")
        return text, float(slots.max(1).min())


def folded(text: str) -> str:
    """Letters and digits that many countries print alike."""
    return text.replace("O", "0").replace("I", "1")


def rate(rows: list) -> dict:
    return {"n": len(rows), "exact": round(sum(rows) / len(rows), 4) if rows else None}


def measure(model: Path, data: Path, show: bool = False) -> dict:
    reader = Reader(model)
    groups = {"fr": [], "fr_siv": [], "fr_other": [], "eu": [], "eu_folded": []}
    sure = []
    for row in csv.DictReader(open(data / "labels.csv", newline="")):
        rgb = cv2.cvtColor(cv2.imread(str(data.parent / row["file"])), cv2.COLOR_BGR2RGB)
        x0, y0, x1, y1 = (round(float(row[k])) for k in ("x0", "y0", "x1", "y1"))
        text, least = reader.read(rgb[max(0, y0) : y1, max(0, x0) : x1])
        truth = re.sub("[^A-Z0-9]", "", row["text"].upper())
        right = text == truth
        if row["country"] == "FR":
            groups["fr"].append(right)
            groups["fr_siv" if row["pattern"] == "SIV" else "fr_other"].append(right)
            sure.append((least, right))
        else:
            groups["eu"].append(right)
            groups["eu_folded"].append(folded(text) == folded(truth))
        if show and not right:
            print(f"{row['file']} {row['pattern']} {truth} read {text} at {least:.2f}")
    found = {name: rate(rows) for name, rows in groups.items()}
    taken = [right for least, right in sure if least >= 0.85]
    found["fr_lowest_slot_from_0.85"] = {"accepted": len(taken), "wrong": len(taken) - sum(taken)}
    return found


def main():
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--model", type=Path, default=Path(__file__).parent.parent / "model" / "plate-reader.onnx")
    ask.add_argument("--plates", type=Path, required=True, help="folder with labels.csv; files are named from its parent")
    ask.add_argument("--show", action="store_true", help="print what was read wrongly")
    given = ask.parse_args()
    print(json.dumps(measure(given.model, given.plates, given.show), indent=2))


if __name__ == "__main__":
    main()
