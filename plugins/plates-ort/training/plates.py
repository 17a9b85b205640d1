"""Draws synthetic number plates: a flat RGB picture at about one pixel per millimetre, its text, its kind."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONTS = Path("/usr/share/fonts/truetype")
# Font file and weight; OSP-DIN and Roadgeek are nearest to real plates, the rest keeps the reader from one shape.
FACES = [
    ("opendin/OSP-DIN.ttf", 10), ("roadgeek/RG2014B.ttf", 2), ("roadgeek/RG2014C.ttf", 5),
    ("roadgeek/RG2014D.ttf", 5), ("roadgeek/RG2014E.ttf", 3), ("roadgeek/RG2014EM.ttf", 1),
    ("dejavu/DejaVuSansCondensed-Bold.ttf", 2), ("dejavu/DejaVuSans-Bold.ttf", 1),
    ("liberation/LiberationSansNarrow-Bold.ttf", 2), ("liberation/LiberationSans-Bold.ttf", 2),
    ("roboto/unhinted/RobotoCondensed-Bold.ttf", 2), ("roboto/unhinted/RobotoTTF/Roboto-Medium.ttf", 1),
    ("lato/Lato-Bold.ttf", 1),
]
FACE_SHARES = np.array([w for _, w in FACES], float) / sum(w for _, w in FACES)
SIV = "ABCDEFGHJKLMNPQRSTVWXYZ"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CONSONANTS = "BCDFGHJKLMNPRSTVWXYZ"
CAP = 120
WHITE, BLACK, BLUE = (236, 238, 238), (22, 22, 26), (22, 62, 150)
YELLOW = (238, 190, 20)


@dataclass
class Plate:
    rgb: np.ndarray
    text: str
    kind: str
    centres: np.ndarray  # of the characters, in pixels, in the order of the text

    @property
    def two_lines(self) -> bool:
        return self.rgb.shape[1] < 2.4 * self.rgb.shape[0]


@lru_cache(maxsize=None)
def glyph(face: int, char: str) -> np.ndarray:
    """Mask of a character, cut to its width, its height that of a capital."""
    path = str(FONTS / FACES[face][0])
    font = ImageFont.truetype(path, 200)
    box = font.getbbox("H")
    font = ImageFont.truetype(path, round(200 * CAP / (box[3] - box[1])))
    box = font.getbbox("H")
    ink = font.getbbox(char)
    above, below = min(0, ink[1] - box[1]), max(0, ink[3] - box[3])
    cell = Image.new("L", (ink[2] - ink[0] + 2, CAP + 4 + below - above), 0)
    ImageDraw.Draw(cell).text((1 - ink[0], 2 - box[1] - above), char, font=font, fill=255)
    # On plates the tails of J and Q stay within the line: squeeze them in rather than cut them off.
    return cv2.resize(np.asarray(cell), (cell.width, CAP + 4), interpolation=cv2.INTER_AREA)


class Press:
    """Endless random plates."""

    def __init__(self, random: np.random.Generator):
        self.random = random

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, items):
        return items[self.random.integers(len(items))]

    def letters(self, count: int, alphabet: str = LETTERS) -> str:
        return "".join(self.pick(alphabet) for _ in range(count))

    def digits(self, count: int) -> str:
        return "".join(self.pick("0123456789") for _ in range(count))

    def number(self, count: int) -> str:
        return str(self.random.integers(1, 10**count)).zfill(count)

    def pair(self) -> str:
        while True:
            pair = self.letters(2, SIV)
            if pair not in ("SS", "WW"):
                return pair

    def department(self) -> str:
        draw = self.random.random()
        if draw < 0.05:
            return self.pick(["2A", "2B"])
        return str(self.random.integers(971, 977)) if draw < 0.1 else f"{self.random.integers(1, 96):02d}"

    def draw(self) -> Plate:
        draw = self.random.random()
        if draw < 0.50:
            return self.siv()
        if draw < 0.64:
            return self.fni()
        if draw < 0.70:
            return self.temporary()
        return self.neighbour()

    # --- French kinds. A "-" prints a dash, a space a gap, "o" a small shield, "|" a new line.

    def siv(self) -> Plate:
        parts = [self.pair(), self.number(3), self.pair()]
        if self.chance(0.04):
            return self.plate("collection", "-".join(parts), ground=BLACK, ink=self.pick([WHITE, (170, 172, 174)]),
                              edge=self.chance(0.7))
        draw = self.random.random()
        if draw < 0.07:
            text = f"{parts[0]}-{parts[1]}|{parts[2]}" if self.chance(0.6) else f"{parts[0]}|{parts[1]}-{parts[2]}"
            return self.plate("siv2", text, size=(275, 200), left="F", right=self.chance(0.9))
        if draw < 0.12:
            text = f"{parts[0]}-{parts[1]}|{parts[2]}" if self.chance(0.3) else f"{parts[0]}|{parts[1]}-{parts[2]}"
            return self.plate("moto", text, size=(210, 130), left="F", right=self.chance(0.9))
        return self.plate("siv", "-".join(parts), left="F", right=self.chance(0.93))

    def fni(self) -> Plate:
        number = str(self.random.integers(1, 10 ** int(self.random.integers(2, 5))))
        letters = self.letters(3 if len(number) < 4 and self.chance(0.6) else 2, SIV)
        if self.chance(0.03):
            letters = letters[:1]
        parts = [number, letters, self.department()]
        draw = self.random.random()
        look = {"ground": WHITE, "ink": BLACK, "left": "F" if self.chance(0.4) else ""}
        if draw < 0.33:
            look |= {"ground": YELLOW, "edge": self.chance(0.5)}
        elif draw < 0.55:
            look = {"ground": BLACK, "ink": self.pick([WHITE, (180, 182, 184)]), "edge": self.chance(0.5)}
        if self.chance(0.2):
            text = f"{parts[0]} {parts[1]}|{parts[2]}" if self.chance(0.3) else f"{parts[0]}|{parts[1]} {parts[2]}"
            return self.plate("fni2", text, size=self.pick([(275, 200), (210, 130), (300, 220)]), **look)
        gap = self.pick([" ", " ", " ", "-"])
        return self.plate("fni", gap.join(parts), **look)

    def temporary(self) -> Plate:
        text = f"WW-{self.number(3)}-{self.pair()}" if self.chance(0.6) else f"W-{self.number(3)}-{self.pair()}"
        draw = self.random.random()
        look = {"ground": WHITE, "ink": BLACK}
        if draw < 0.25:
            look = {"ground": self.pick([(236, 150, 170), (240, 170, 185), (222, 120, 150)]), "ink": BLACK}
        elif draw < 0.45:
            look = {"ground": (190, 24, 34), "ink": WHITE}
        elif draw < 0.6:
            look = {"ground": WHITE, "ink": (190, 24, 34)}
        if self.chance(0.15):
            head, middle, tail = text.split("-")
            return self.plate("temporary2", f"{head}-{middle}|{tail}", size=(275, 200), left="F", right=True, **look)
        return self.plate("temporary", text, left="F", right=self.chance(0.8), **look)

    def neighbour(self) -> Plate:
        """Europe's other plates: enough of each form for reading; not a full register of codes."""
        pick, letters, digits = self.pick, self.letters, self.digits
        land = pick(["SK"] * 6 + ["D"] * 4 + ["CZ"] * 3 + ["PL", "RO", "GB", "B", "NL", "E", "I", "CH", "A"] * 2
                    + ["H", "L", "P", "SLO", "HR", "LT", "LV", "EST", "BG", "S", "DK", "?", "?"])
        look: dict = {"left": land if land not in ("CH", "?") or self.chance(0.3) else ""}
        if land == "SK":
            head = pick(["BA", "BL", "RK", "ZA", "KE", "TT", "NR", "BB", "PO", "MT", "LM", letters(2), letters(2)])
            text = f"{head}{pick('ooo -')}{digits(3)}{pick(['', '', ' '])}{letters(2)}"
        elif land == "D":
            count = int(self.random.integers(1, 4))
            text = f"{letters(count)}o{letters(int(self.random.integers(1, 3)))} {digits(int(self.random.integers(2, 5)))}"
        elif land == "CZ":
            text = pick([f"{digits(1)}{letters(1)}{digits(1)}{pick('o ')}{digits(4)}", f"{letters(3)}{pick('o ')}{digits(2)}-{digits(2)}"])
        elif land == "PL":
            text = f"{letters(int(self.random.integers(2, 4)))}{pick('o ')}{pick([digits(5), digits(4) + letters(1), letters(2) + digits(3)])}"
        elif land == "RO":
            text = f"{letters(int(self.random.integers(1, 3)))} {digits(int(self.random.integers(2, 4)))} {letters(3)}"
        elif land == "GB":
            text = f"{letters(2)}{digits(2)} {letters(3)}"
            look |= {"ground": pick([WHITE, YELLOW]), "left": pick(["", "GB"])}
        elif land == "B":
            text = pick([f"{digits(1)}-{letters(3)}-{digits(3)}", f"{letters(3)}-{digits(3)}"])
            look["ink"] = (160, 30, 40)
        elif land == "NL":
            text = pick([f"{digits(2)}-{letters(3, CONSONANTS)}-{digits(1)}", f"{letters(2, CONSONANTS)}-{digits(3)}-{letters(1, CONSONANTS)}",
                         f"{letters(2, CONSONANTS)}-{digits(2)}-{letters(2, CONSONANTS)}"])
            look["ground"] = YELLOW
        elif land == "E":
            text = f"{digits(4)} {letters(3, CONSONANTS)}"
        elif land == "I":
            text = f"{letters(2)} {digits(3)}{letters(2)}"
            look["right"] = True
        elif land == "CH":
            text = f"{letters(2)}o{digits(int(self.random.integers(4, 7)))}"
        elif land == "A":
            text = f"{letters(int(self.random.integers(1, 3)))}o{digits(int(self.random.integers(3, 6)))} {letters(int(self.random.integers(1, 3)))}"
        elif land in ("H", "LT", "S"):
            text = f"{letters(3)}{pick('- o')}{digits(3)}"
        elif land == "L":
            text = f"{letters(2)} {digits(4)}"
            look["ground"] = YELLOW
        elif land == "P":
            text = pick([f"{digits(2)}-{letters(2)}-{digits(2)}", f"{digits(2)}-{digits(2)}-{letters(2)}"])
        elif land in ("SLO", "HR"):
            text = f"{letters(2)}o{digits(3)}-{letters(2)}"
        elif land in ("LV", "BG"):
            text = f"{letters(2)}{pick('- ')}{digits(4)}{pick(['', letters(2)])}"
        elif land == "EST":
            text = f"{digits(3)} {letters(3)}"
        elif land == "DK":
            text = f"{letters(2)} {digits(2)} {digits(3)}"
        else:
            plain = "".join(pick(LETTERS + "0123456789") for _ in range(self.random.integers(4, 10)))
            cut = self.random.integers(1, len(plain))
            text = plain[:cut] + pick(["", " ", "-", "o"]) + plain[cut:]
            look["ground"] = pick([WHITE, WHITE, YELLOW, (190, 225, 190)])
        kind = "other"
        if self.chance(0.06):
            for mark in " o-":
                text = text.replace(mark, "|", 1) if "|" not in text else text
            if "|" in text:
                look["size"] = pick([(280, 200), (300, 200), (240, 130), (340, 200)])
                kind = "other2"
        return self.plate(kind, text, **look)

    # --- Drawing

    def plate(self, kind, text, size=(520, 110), ground=WHITE, ink=BLACK, left="", right=False, edge=None) -> Plate:
        width, height = size
        if size == (520, 110):
            width += int(self.random.integers(-25, 12)) if self.chance(0.3) else 0
            height += int(self.random.integers(-6, 8)) if self.chance(0.3) else 0
        ground = np.array(ground) + self.random.normal(0, 8) + self.random.normal(0, 3, 3)
        ink = np.array(ink) + self.random.normal(0, 8) + max(0.0, self.random.normal(0, 12))
        rgb = np.empty((height, width, 3), np.float32)
        rgb[:] = ground
        if self.chance(0.4) if edge is None else edge:
            inset = int(self.random.integers(1, 6))
            cv2.rectangle(rgb, (inset, inset), (width - 1 - inset, height - 1 - inset), ink.tolist(),
                          int(self.random.integers(2, 5)))
        start, stop = 6, width - 6
        wide = self.random.uniform(38, 52) * (0.8 if width < 300 else 1)
        if left:
            self.band(rgb, 0, wide, left)
            start = int(wide) + 2
        if right:
            self.band(rgb, width - wide, wide, self.department())
            stop = int(width - wide) - 2
        lines = text.split("|")
        face = int(self.random.choice(len(FACES), p=FACE_SHARES))
        mask = np.zeros((height, width), np.float32)
        centres: list = []
        share = self.random.uniform(0.62, 0.76) if len(lines) == 1 else self.random.uniform(0.66, 0.82)
        row = height / len(lines)
        for index, line in enumerate(lines):
            middle = height / 2 + (index - (len(lines) - 1) / 2) * row * self.random.uniform(0.9, 0.97)
            self.line(mask, face, line, start, stop, middle, share * row, centres)
        # A soft edge cut again higher or lower makes every font bolder or thinner.
        soft = cv2.GaussianBlur(mask, (0, 0), self.random.uniform(1.0, 1.8) * (1.0 if len(lines) == 1 else 0.8))
        cut = self.random.normal(0.5, 0.13)
        mask = np.clip((soft - np.clip(cut, 0.22, 0.75)) * 4 + 0.5, 0, 1)[..., None]
        if self.chance(0.3):
            # Embossed characters catch light on one side.
            relief = cv2.GaussianBlur(mask, (0, 0), 1.5)
            shift = self.pick([(1, 1), (-1, 1), (1, -1)])
            rgb += (relief - np.roll(relief, shift, (0, 1)))[..., None] * self.random.uniform(10, 60)
        rgb += (ink - rgb) * mask
        self.wear(rgb)
        plain = "".join(c for c in text if c.isupper() or c.isdigit())
        return Plate(np.clip(rgb, 0, 255).astype(np.uint8), plain, kind, np.array(centres, np.float32))

    def line(self, mask, face, line, start, stop, middle, tall, centres):
        """Sets one line between start and stop, squeezed where it would not fit."""
        height = mask.shape[0]
        stretch = self.random.uniform(0.85, 1.2)
        space = tall * self.random.uniform(0.08, 0.24)
        gap, dash = tall * self.random.uniform(0.22, 0.6), tall * self.random.uniform(0.15, 0.28)
        widths = []
        for mark in line:
            if mark == " ":
                widths.append(gap)
            elif mark == "-":
                widths.append(dash)
            elif mark == "o":
                widths.append(tall * 0.45)
            else:
                widths.append(glyph(face, mark).shape[1] / CAP * tall * stretch)
        total = sum(widths) + space * (len(line) - 1)
        room = stop - start - 6
        grow = min(1.0, room / total)
        if total < 0.8 * room and self.chance(0.7):
            grow = self.random.uniform(1.0, min(1.35, room / total))
        x = start + (stop - start - total * grow) / 2 + self.random.uniform(-0.4, 0.4) * max(0, room - total * grow)
        thick = max(2, round(tall * self.random.uniform(0.09, 0.16)))
        for mark, width in zip(line, widths):
            width *= grow
            left, size = round(x), max(2, round(width))
            top = round(middle - tall / 2)
            if mark == "-":
                y = round(middle - thick / 2)
                mask[max(0, y) : y + thick, max(0, left) : left + size] = 1
            elif mark == "o":
                # Seals and shields are seldom as dark as the characters.
                dark = self.random.uniform(0.3, 1.0)
                count = self.pick([1, 1, 2])
                for step in range(count):
                    y = middle + (step - (count - 1) / 2) * tall * 0.5
                    size_y = tall * (0.2 if count == 2 else self.random.uniform(0.18, 0.32))
                    centre = (round(x + width / 2), round(y))
                    cv2.ellipse(mask, centre, (max(2, round(width * 0.45)), max(2, round(size_y))), 0, 0, 360, dark, -1)
            elif mark != " ":
                shape = cv2.resize(glyph(face, mark), (size, max(4, round(tall))), interpolation=cv2.INTER_AREA)
                y0, x0 = max(0, top), max(0, left)
                y1, x1 = min(height, top + shape.shape[0]), min(mask.shape[1], left + size)
                part = shape[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32) / 255
                np.maximum(mask[y0:y1, x0:x1], part, out=mask[y0:y1, x0:x1])
                centres.append((left + size / 2, middle))
            x += width + space * grow

    def band(self, rgb, x, wide, text):
        """A blue strip: stars or a region's logo above, a country or department below."""
        height, width = rgb.shape[:2]
        x, wide = int(x), int(wide)
        blue = np.array(BLUE) + self.random.normal(0, 18, 3)
        rgb[:, x : x + wide] = blue
        middle, upper = x + wide // 2, round(height * self.random.uniform(0.26, 0.36))
        reach = wide * self.random.uniform(0.26, 0.36)
        if x == 0:
            for angle in np.arange(12) * np.pi / 6:
                spot = (round(middle + reach * np.cos(angle)), round(upper + reach * np.sin(angle)))
                cv2.circle(rgb, spot, max(1, wide // 22), (230, 205, 60), -1)
        else:
            for _ in range(self.random.integers(1, 5)):
                spot = (middle + round(self.random.normal(0, reach / 3)), upper + round(self.random.normal(0, reach / 3)))
                size = (max(2, round(reach * self.random.uniform(0.2, 0.9))), max(2, round(reach * self.random.uniform(0.2, 0.9))))
                colour = self.random.integers(0, 256, 3).tolist() if self.chance(0.6) else [235, 235, 235]
                cv2.ellipse(rgb, spot, size, float(self.random.uniform(0, 180)), 0, 360, colour, -1)
        face = int(self.random.choice(len(FACES), p=FACE_SHARES))
        high = height * self.random.uniform(0.2, 0.34)
        if height > 150:
            high *= 0.6
        marks = [glyph(face, c) for c in text if c.isalnum()]
        if not marks:
            return
        total = sum(m.shape[1] for m in marks) / CAP * high
        high *= min(1.0, 0.8 * wide / max(total, 1))
        total = sum(m.shape[1] + 8 for m in marks) / CAP * high
        left, top = middle - total / 2, round(height * self.random.uniform(0.62, 0.7))
        for mark in marks:
            size = (max(1, round(mark.shape[1] / CAP * high)), max(2, round(high)))
            part = cv2.resize(mark, size, interpolation=cv2.INTER_AREA)[..., None].astype(np.float32) / 255
            x0 = max(0, round(left))
            part = part[: height - top, : width - x0]
            seen = rgb[top : top + part.shape[0], x0 : x0 + part.shape[1]]
            seen += (240 - seen) * part[:, : seen.shape[1]]
            left += size[0] + 8 / CAP * high

    def wear(self, rgb):
        """Screws, dirt, scratches, small stickers, faded print."""
        height, width = rgb.shape[:2]
        if self.chance(0.45):
            for share in self.pick([(0.2, 0.8), (0.14, 0.86), (0.3, 0.7), (0.5,), (0.08, 0.92)]):
                y = self.pick([0.5, 0.12, 0.88, 0.1, 0.9])
                spot = (round(share * width), round(y * height))
                tone = self.random.uniform(30, 240)
                cv2.circle(rgb, spot, int(self.random.integers(3, 8)), (tone, tone, tone), -1)
                cv2.circle(rgb, (spot[0] + 1, spot[1] + 1), 2, (tone * 0.5,) * 3, -1)
        if self.chance(0.35):
            cells = (int(self.random.integers(3, 40)), int(self.random.integers(2, 12)))
            dirt = cv2.resize(self.random.random((cells[1], cells[0])).astype(np.float32), (width, height),
                              interpolation=cv2.INTER_CUBIC)
            dirt = np.clip((dirt - self.random.uniform(0.3, 0.8)) * 2, 0, 1)[..., None] * self.random.uniform(0.1, 0.6)
            rgb += (np.float32([96, 84, 70]) * self.random.uniform(0.5, 1.6) - rgb) * dirt
        if self.chance(0.12):
            for _ in range(self.random.integers(1, 5)):
                ends = self.random.integers(0, [width, height], (2, 2))
                cv2.line(rgb, ends[0].tolist(), ends[1].tolist(), (self.random.uniform(40, 230),) * 3, 1)
        if self.chance(0.08):
            x, y = self.random.uniform(0.1, 0.9) * width, self.pick([0.08, 0.92]) * height
            colour = self.random.integers(0, 256, 3).tolist()
            cv2.circle(rgb, (round(x), round(y)), int(self.random.integers(5, 11)), colour, -1)
