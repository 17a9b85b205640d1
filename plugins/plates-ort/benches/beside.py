"""Reads the same photos with our plate reader and with PP-OCRv4 detection + CCT-XS in Python, in turn.

Both run on one thread of the same ONNX Runtime, and both times include decoding the file. The last line is one
JSON object: medians per photo over all rounds, their ratio, and how many French plates each read exactly.
Usage: beside.py --keroxio PROGRAM --store MODELS --cct CCT.onnx --data PLATES [--rounds 3]
"""

import argparse
import csv
import json
import re
import statistics
import subprocess
import time
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

CCT = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
FRENCH = re.compile(r"(?:[A-HJ-NP-TV-Z]{2}\d{3}[A-HJ-NP-TV-Z]{2}|\d{1,4}[A-Z]{2,3}\d{2}|W\d{3}[A-Z]{2})$")
MARGINS = ((0.10, 0.18), (0.03, 0.08))


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class Chain:
    def __init__(self, detection, reading):
        self.detection, self.reading = session(detection), session(reading)

    def boxes(self, bgr):
        """Rotated boxes of text with the shape of a plate."""
        high, wide = bgr.shape[:2]
        scale = 960 / max(high, wide)
        size = [max(32, round(side * scale / 32) * 32) for side in (wide, high)]
        small = cv2.resize(bgr, size).astype(np.float32) / 127.5 - 1
        heat = self.detection.run(None, {self.detection.get_inputs()[0].name: small.transpose(2, 0, 1)[None]})[0][0, 0]
        mask = cv2.dilate((heat > 0.3).astype(np.uint8), np.ones((2, 2), np.uint8))
        for contour in cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]:
            (x, y), (w, h), angle = cv2.minAreaRect(contour)
            if min(w, h) < 3:
                continue
            if w < h:
                w, h, angle = h, w, angle - 90
            grow = 2 * w * h * 1.6 / (2 * (w + h))
            box = ((x * wide / size[0], y * high / size[1]), ((w + grow) * wide / size[0], (h + grow) * high / size[1]), angle)
            if 1.5 <= box[1][0] / box[1][1] <= 9 and box[1][0] >= 0.02 * wide:
                yield box

    def crop(self, bgr, box, margin):
        (x, y), (w, h), angle = box
        corners = cv2.boxPoints(((x, y), (w * (1 + 2 * margin[0]), h * (1 + 2 * margin[1])), angle))
        middle = corners.mean(0)
        turn = np.radians(angle)
        along, down = np.float32([np.cos(turn), np.sin(turn)]), np.float32([-np.sin(turn), np.cos(turn)])
        if along[0] < 0:
            along, down = -along, -down
        w, h = w * (1 + 2 * margin[0]) / 2, h * (1 + 2 * margin[1]) / 2
        quad = np.float32([middle - along * w - down * h, middle + along * w - down * h, middle - along * w + down * h])
        matrix = cv2.getAffineTransform(quad, np.float32([(0, 0), (128, 0), (0, 64)]))
        return cv2.warpAffine(bgr, matrix, (128, 64), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)[..., ::-1]

    def read(self, path):
        bgr = cv2.imread(str(path))
        best = (-1.0, "")
        for box in self.boxes(bgr):
            crops = np.stack([self.crop(bgr, box, margin) for margin in MARGINS])
            slots = self.reading.run(None, {self.reading.get_inputs()[0].name: crops})[0].reshape(len(crops), -1, 37)
            for slot in slots:
                text = "".join(CCT[i] for i in slot.argmax(1)).replace("_", "")
                ratio = box[1][0] / box[1][1]
                score = slot.max(1).mean() + 0.15 * (2.5 < ratio < 6.5) + 1.0 * bool(FRENCH.match(text))
                best = max(best, (float(score), text))
        return best[1]


def theirs(chain, rows, root):
    times, right = [], 0
    for row in rows:
        begun = time.perf_counter()
        text = chain.read(root / row["file"])
        times.append((time.perf_counter() - begun) * 1000)
        right += row["country"] == "FR" and text == row["text"]
    return statistics.median(times), right


def main():
    ask = argparse.ArgumentParser(description=__doc__)
    for name in ("--keroxio", "--store", "--cct", "--data"):
        ask.add_argument(name, type=Path, required=True)
    ask.add_argument("--rounds", type=int, default=3)
    given = ask.parse_args()
    cv2.setNumThreads(1)
    rows = list(csv.DictReader(open(given.data / "labels.csv", newline="")))
    french = sum(row["country"] == "FR" for row in rows)
    chain = Chain(given.store / "ppocr-v4-detection.onnx", given.cct)
    chain.read(given.data.parent / rows[0]["file"])
    ours_ms, theirs_ms = [], []
    for _ in range(given.rounds):
        out = subprocess.run([given.keroxio, "eval", "plates", "--data", given.data, "--json"], check=True, capture_output=True, text=True)
        ours = json.loads(out.stdout.strip().splitlines()[-1])
        ours_ms.append(ours["ms_median"])
        median, right = theirs(chain, rows, given.data.parent)
        theirs_ms.append(median)
        print(json.dumps({"ours_ms": ours_ms[-1], "ppocr_cct_ms": round(median, 1)}), flush=True)
    a, b = statistics.median(ours_ms), statistics.median(theirs_ms)
    print(json.dumps({"photos": len(rows), "ours_ms": a, "ppocr_cct_ms": round(b, 1), "times_faster": round(b / a, 2),
                      "ours_french_exact": ours["exact"], "ppocr_cct_french_exact": round(right / french, 4),
                      "peak_rss_mb": ours["peak_rss_mb"]}))


if __name__ == "__main__":
    main()
