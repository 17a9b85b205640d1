"""Writes photos of cars with drawn French plates and what is on them, to measure and calibrate the whole reader on.

Another seed than that of the training and finer pictures, but the same cars: what is found on them is optimistic,
what is read is not. Of every plate the text is known. The format
is that of `keroxio eval plates --data OUT/plates`.
"""

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np

from flat_plates import Plates
from scenes import Scenes


class French(Plates):
    def style(self):
        draw = self.random.random()
        if draw < 0.82:
            siv = self.siv()
            while siv.lines[0][:2] > "HK":
                siv = self.siv()
            return siv
        return self.garage() if draw < 0.88 else self.fni()


class Photos(Scenes):
    widths = (70, 420)
    size = (1280, 960)
    foreign = 0

    def photo(self):
        """A picture with one plate: its text, and its corners."""
        while True:
            rgb, (x0, y0, x1, y1) = self.pick(self.cars)
            spot = np.float32([self.random.uniform(x0, x1), y0 + (y1 - y0) * self.random.uniform(0.55, 0.95)])
            wide = (x1 - x0) * self.random.uniform(0.8, 1.6)
            seen, matrix = self.view(rgb, spot + self.random.uniform(-0.25, 0.25, 2) * [wide, wide * 0.75], wide)
            seen, quads = self.paste(seen, matrix[:, :2] @ spot + matrix[:, 2], [])
            if quads:
                return self.spoil(seen), self.drawn.text, quads[0]


def pattern(text: str) -> str:
    if text[0].isdigit():
        return "FNI"
    return "WW" if text[:2] == "WW" else "W" if len(text) == 6 else "SIV"


def main():
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--data", type=Path, required=True, help="folder with backgrounds, car-parts and plates-ro")
    ask.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts"))
    ask.add_argument("--out", type=Path, required=True)
    ask.add_argument("--count", type=int, default=1500)
    ask.add_argument("--seed", type=int, default=77)
    given = ask.parse_args()
    photos = Photos(given.data, given.fonts, given.seed)
    photos.random = np.random.default_rng(given.seed)
    photos.plates, photos.cars = French(given.fonts, photos.random), photos.car_photos()
    folder = given.out / "plates"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "labels.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "text", "country", "pattern", "x0", "y0", "x1", "y1"])
        for number in range(given.count):
            rgb, text, quad = photos.photo()
            name = f"plates/{number:05d}.jpg"
            cv2.imwrite(str(given.out / name), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
            table.writerow([name, text, "FR", pattern(text), *quad.min(0).round(1), *quad.max(0).round(1)])


if __name__ == "__main__":
    main()
