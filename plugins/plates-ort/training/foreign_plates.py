"""Draws plates that are no wider than two or three times their height, as America, Japan and Australia have them: the
detector has to see them so that they are hidden. The reader never meets them."""

import cv2
import numpy as np

from flat_plates import Plate, Plates

# A letter, 9 digit, @ a seal or picture, as in EUROPE.
PATTERNS = ["AAA 9999", "AAA@999", "999 AAA", "9AAA999", "A99 AAA", "AAA9999", "99@AAA", "AA 99999", "999@AAA", "9AA 999",
            "AAA9A99", "AA AAAA", "AAAAAA", "AAAAA", "A AAAAA", "99 99", "999999"]
# Width over height: 12 x 6 inches, 33 x 16.5 cm, 37.2 x 13.4 cm, 40 x 13 cm, 52 x 11 cm of any colour.
RATIOS = [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.78, 3.08, 4.7]
HIGH = 104


class ForeignPlates(Plates):
    def draw(self, style=None) -> Plate:
        wide = round(HIGH * self.pick(RATIOS) * self.random.uniform(0.96, 1.04))
        rgb = self.ground(wide)
        ink = self.ink(rgb)
        self.stickers(rgb)
        centres = self.serial(rgb, ink)
        self.words(rgb, 0.03, self.random.uniform(0.15, 0.26), ink, 0.9)
        self.words(rgb, self.random.uniform(0.76, 0.86), 0.97, ink, 0.6)
        if self.chance(0.6):
            cv2.rectangle(rgb, (1, 1), (wide - 2, HIGH - 2), ink if self.chance(0.6) else self.any(), self.random.integers(1, 4))
        self.bolts(rgb)
        if self.chance(0.35):
            self.holder(rgb)
        self.dirt(rgb)
        return self.framed(rgb, np.float32(centres), "")

    def any(self) -> tuple:
        return tuple(int(v) for v in self.random.integers(0, 256, 3))

    def light(self) -> tuple:
        return tuple(int(v) for v in 255 - self.random.integers(0, 90, 3) * self.random.uniform(0, 1))

    def ground(self, wide: int) -> np.ndarray:
        """One colour, one that runs into another, or a picture of hills."""
        rgb = np.empty((HIGH, wide, 3), np.uint8)
        rgb[:] = self.light() if self.chance(0.8) else self.any()
        if self.chance(0.45):
            ramp = np.clip(np.linspace(-0.6, 1.2, HIGH)[:, None, None] * self.random.choice([-1, 1]), 0, 1)
            rgb[:] = rgb * (1 - ramp) + np.float32(self.light() if self.chance(0.5) else self.any()) * ramp
        for _ in range(self.random.integers(1, 4) if self.chance(0.3) else 0):
            coarse = self.random.random((1, self.random.integers(3, 9))).astype(np.float32)
            line = HIGH * (self.random.uniform(0.4, 0.7) + 0.4 * cv2.resize(coarse, (wide, 1), interpolation=cv2.INTER_CUBIC)[0])
            below = np.arange(HIGH)[:, None] > line
            rgb[below] = rgb[below] * 0.4 + 0.6 * np.float32(self.light() if self.chance(0.7) else self.any())
        return rgb

    def ink(self, rgb: np.ndarray) -> tuple:
        """A colour that can be told from the ground."""
        dark = rgb.mean() > 120
        while True:
            ink = np.array(self.any()) * (0.65 if dark else 1) if self.chance(0.6) else np.full(3, 20 if dark else 240)
            if abs(float(ink.mean()) - float(rgb.mean())) > 60:
                return tuple(int(v) for v in ink)

    def serial(self, rgb: np.ndarray, ink: tuple) -> list:
        among = {"A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "9": "0123456789"}
        text = "".join(self.pick(among[c]) if c in among else c for c in self.pick(PATTERNS))
        tall, middle = HIGH * self.random.uniform(0.4, 0.6), HIGH * self.random.uniform(0.48, 0.56)
        edge = self.random.uniform(0.02, 0.1) * rgb.shape[1]
        box = (edge, middle - tall / 2, rgb.shape[1] - edge, middle + tall / 2)
        look = dict(weight=int(self.random.integers(-1, 3)), stretch=self.random.uniform(0.6, 1.1), gap=self.random.uniform(0.05, 0.2),
                    space=self.random.uniform(0.15, 0.6))
        if self.chance(0.5):
            look["lit"] = tuple(int(np.clip(v + self.random.uniform(-70, 90), 0, 255)) for v in rgb[HIGH // 2, 4])
        face = self.faces[self.random.choice(len(self.faces), p=self.weights)]
        return self.write(rgb, text, box, face, ink, **look)

    def words(self, rgb: np.ndarray, top: float, bottom: float, ink: tuple, share: float):
        """The name of the state, or what it says of itself."""
        if not self.chance(share):
            return
        half = rgb.shape[1] * self.random.uniform(0.18, 0.45)
        middle = rgb.shape[1] / 2
        words = "".join(self.pick("ABCDEFGHIJKLMNOPQRSTUVWXYZ  ") for _ in range(self.random.integers(4, 16))).strip() or "A"
        self.write(rgb, words, (middle - half, HIGH * top, middle + half, HIGH * bottom), self.pick(self.faces),
                   ink if self.chance(0.5) else self.ink(rgb))

    def stickers(self, rgb: np.ndarray):
        for x in (0.06, 0.82) if self.chance(0.4) else ():
            if self.chance(0.7):
                left, top = round(rgb.shape[1] * x), round(HIGH * self.pick([0.05, 0.05, 0.78]))
                cv2.rectangle(rgb, (left, top), (left + round(0.12 * rgb.shape[1]), top + round(0.16 * HIGH)), self.any(), -1)

    def bolts(self, rgb: np.ndarray):
        for x in (0.22, 0.78) if self.chance(0.6) else ():
            for y in (0.09, 0.91):
                if self.chance(0.7):
                    cv2.circle(rgb, (round(rgb.shape[1] * x), round(HIGH * y)), self.random.integers(2, 5),
                               self.pick([(40, 40, 40), (150, 150, 150), (215, 215, 215)]), -1)

    def holder(self, rgb: np.ndarray):
        """A dealer's frame that covers the edges, with a name above or below."""
        rims = [round(v * HIGH) for v in self.random.uniform(0.02, 0.07, 2)]
        rims += [round(v * HIGH) for v in self.random.uniform(0.04, 0.17, 2)]
        left, right, top, bottom = rims
        colour = self.pick([(25, 25, 25), (25, 25, 25), (190, 190, 195), self.any()])
        rgb[:, :left] = rgb[:, -right:] = rgb[:top] = rgb[-bottom:] = colour
        for low, high in ((0, top), (HIGH - bottom, HIGH)):
            if high - low > 8 and self.chance(0.7):
                words = "".join(self.pick("ABCDEFGHIJKLMNOPQRSTUVWXYZ ") for _ in range(self.random.integers(6, 20))).strip() or "A"
                ink = (235, 235, 235) if sum(colour) < 380 else (20, 20, 20)
                self.write(rgb, words, (left + 4, low + 2, rgb.shape[1] - right - 4, high - 2), self.pick(self.faces), ink)
