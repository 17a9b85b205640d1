"""Looks for the plate in whole real photos and compares with their true boxes. Nothing trains on them."""

import argparse
import csv
import json
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from evaluate import HIGH, WIDE, Reader, folded, rate

LONGEST, CELL, REACH = 512, 8, 64.0


class Detector:
    def __init__(self, model: Path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(model), options)

    def best(self, rgb: np.ndarray) -> tuple[np.ndarray, float]:
        """The corners of the likeliest plate in pixels of the photo, and its heat."""
        scale = LONGEST / max(rgb.shape[:2])
        small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        high, wide = (-(-side // 32) * 32 for side in small.shape[:2])
        padded = np.full((high, wide, 3), 128, np.uint8)
        padded[: small.shape[0], : small.shape[1]] = small
        planes = (padded.astype(np.float32) / 255 - 0.5) / 0.5
        out = self.session.run(None, {"rgb": planes.transpose(2, 0, 1)[None]})[0][0]
        row, column = np.unravel_index(out[0].argmax(), out[0].shape)
        middle = (np.array([column, row]) + 0.5) * CELL
        corners = out[1:, row, column].reshape(4, 2) * REACH + middle
        return (corners / scale).astype(np.float32), float(out[0, row, column])


def overlap(a, b) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(wide, 0) * max(high, 0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def straighten(rgb: np.ndarray, corners: np.ndarray) -> np.ndarray:
    matrix = cv2.getPerspectiveTransform(corners, np.float32([(0, 0), (WIDE, 0), (WIDE, HIGH), (0, HIGH)]))
    shrink = np.linalg.norm(corners[1] - corners[0]) / WIDE
    if shrink > 1.4:
        rgb = cv2.GaussianBlur(rgb, (0, 0), 0.35 * shrink)
    return cv2.warpPerspective(rgb, matrix, (WIDE, HIGH), flags=cv2.INTER_LINEAR)


def measure(model: Path, data: Path, reader: Path) -> dict:
    detector, reading = Detector(model), Reader(reader) if reader.exists() else None
    groups = {}
    for row in csv.DictReader(open(data / "labels.csv", newline="")):
        rgb = cv2.cvtColor(cv2.imread(str(data.parent / row["file"])), cv2.COLOR_BGR2RGB)
        box = [float(row[k]) for k in ("x0", "y0", "x1", "y1")]
        corners, heat = detector.best(rgb)
        guess = [*corners.min(0), *corners.max(0)]
        x, y = corners.mean(0)
        country = "fr" if row["country"] == "FR" else "eu"
        share = overlap(box, guess)
        results = {"middle_in_box": box[0] <= x <= box[2] and box[1] <= y <= box[3], "iou_from_0.5": share >= 0.5,
                   "iou_from_0.7": share >= 0.7}
        if reading:
            text, truth = reading.read(straighten(rgb, corners))[0], row["text"]
            results["read"] = text == truth if country == "fr" else folded(text) == folded(truth)
        for name, right in results.items():
            groups.setdefault(f"{country}_{name}", []).append(bool(right))
    return {name: rate(rows) for name, rows in groups.items()}


def main():
    here = Path(__file__).parent.parent / "model"
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--model", type=Path, default=here / "plate-detector.onnx")
    ask.add_argument("--reader", type=Path, default=here / "plate-reader.onnx")
    ask.add_argument("--plates", type=Path, required=True, help="folder with labels.csv; files are named from its parent")
    given = ask.parse_args()
    print(json.dumps(measure(given.model, given.plates, given.reader), indent=2))


if __name__ == "__main__":
    main()
