"""Draws flat licence plates from a seed: a picture, the place of every character, and the text."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SIV_LETTERS = "ABCDEFGHJKLMNPQRSTVWXYZ"
HEIGHT, PAD, CAP = 66, 22, 96

# The first group is nearest to what French plate makers emboss; the others keep the reader from leaning on one shape.
# The figure is how often a face of the group is taken, against those of the other groups.
FACES = [
    (6.0, "truetype/opendin/OSP-DIN.ttf truetype/roadgeek/RG2014C.ttf truetype/roadgeek/RG2014D.ttf"),
    (2.0, "truetype/roadgeek/RG2014B.ttf truetype/roadgeek/RG2014E.ttf truetype/roadgeek/RG2014EM.ttf "
          "truetype/roboto/unhinted/RobotoCondensed-Bold.ttf truetype/roboto/unhinted/RobotoCondensed-Medium.ttf "
          "opentype/national-park/NationalPark-Heavy.otf opentype/national-park/NationalPark-Regular.otf "
          "truetype/adf/UniversalisADFStd-Bold.otf truetype/adf/UniversalisADFStd-BoldCond.otf "
          "opentype/urw-base35/NimbusSans-Bold.otf opentype/urw-base35/NimbusSansNarrow-Bold.otf "
          "truetype/liberation/LiberationSansNarrow-Bold.ttf truetype/adf/SwitzeraADF-Bold.otf "
          "truetype/adf/SwitzeraADF-BoldCond.otf truetype/adf/SwitzeraADF-DemiBold.otf"),
    (0.7, "truetype/roboto/unhinted/RobotoTTF/Roboto-Bold.ttf truetype/roboto/unhinted/RobotoTTF/Roboto-Medium.ttf "
          "truetype/roboto/unhinted/RobotoCondensed-Regular.ttf truetype/adf/GilliusADF-Bold.otf "
          "truetype/adf/GilliusADF-BoldCond.otf truetype/adf/GilliusADFNo2-Bold.otf truetype/adf/SwitzeraADF-Regular.otf "
          "opentype/urw-base35/NimbusSans-Regular.otf truetype/liberation/LiberationSans-Bold.ttf "
          "truetype/dejavu/DejaVuSansCondensed-Bold.ttf truetype/dejavu/DejaVuSansCondensed.ttf "
          "truetype/liberation/LiberationMono-Bold.ttf truetype/lato/Lato-Bold.ttf truetype/open-sans/OpenSans-CondBold.ttf "
          "opentype/play/Play-Bold.otf opentype/b612/B612-Bold.otf opentype/b612/B612Mono-Bold.otf opentype/inter/Inter-Bold.otf "
          "opentype/dosis/Dosis-Bold.otf opentype/dosis/Dosis-SemiBold.otf truetype/freefont/FreeSansBold.ttf "
          "opentype/cantarell/Cantarell-Bold.otf opentype/allerta/allerta_medium.otf truetype/karla/Karla-Bold.otf "
          "truetype/oxygen/Oxygen-Sans-Bold.ttf opentype/jura/Jura-Bold.otf truetype/hack/Hack-Bold.ttf "
          "truetype/crosextra/Carlito-Bold.ttf opentype/cabin/Cabin-Bold.otf truetype/clear-sans/ClearSans-Bold.ttf "
          "opentype/ocr-b/OCRB.otf truetype/paratype/PTN77F.ttf truetype/paratype/PTS75F.ttf truetype/paratype/PTM75F.ttf "
          "fonts-go/Go-Bold.ttf truetype/jetbrains-mono/JetBrainsMono-Bold.ttf truetype/quicksand/Quicksand-Bold.ttf"),
]

# A letter, 9 digit, @ seal or shield, # any of both; repeated entries come more often.
EUROPE = [("SK", "AA@999AA"), ("SK", "AA@999AA"), ("SK", "AA@999AA"), ("SK", "AA 999AA"), ("SK", "AA 999 AA"),
          ("CZ", "9A9 9999"), ("CZ", "9A@9999"), ("CZ", "AAA 99-99"), ("D", "A@AA 9999"), ("D", "AA@AA 999"),
          ("D", "AAA@A 99"), ("D", "AAA@AA 99"), ("B", "9-AAA-999"), ("B", "AAA-999"), ("E", "9999 AAA"),
          ("I", "AA 999AA"), ("NL", "99-AAA-9"), ("NL", "AA-999-A"), ("NL", "99-AA-AA"), ("CH", "AA.999999"),
          ("CH", "AA.99999"), ("PL", "AA 99999"), ("PL", "AAA 9A99"), ("RO", "A 99 AAA"), ("RO", "AA 99 AAA"),
          ("RO", "A 999 AAA"), ("GB", "AA99 AAA"), ("GB", "A999 AAA"), ("P", "99-AA-99"), ("P", "AA 99 AA"),
          ("A", "AA@9999A"), ("A", "A@99999A"), ("H", "AAA-999"), ("L", "AA 9999"), ("HR", "AA@999-AA"),
          ("SLO", "AA@A9-999"), ("BG", "A 9999 AA"), ("S", "AAA 999"), ("DK", "AA 99 999"), ("", "######"), ("", "### ####")]


@dataclass
class Style:
    lines: list
    paper: tuple
    ink: tuple
    left: str | None = None
    right: str | None = None
    band: tuple = (20, 60, 160)
    shield: bool = False
    ratio: float = 520 / 110


@dataclass
class Plate:
    """`seen` tells plate and frame from nothing; `corners` are those of the plate without its frame."""

    rgb: np.ndarray
    seen: np.ndarray
    corners: np.ndarray
    centres: np.ndarray
    text: str


class Plates:
    def __init__(self, fonts: Path, random: np.random.Generator):
        self.fonts, self.random, self.masks, self.opened = fonts, random, {}, {}
        self.faces = [face for _, group in FACES for face in group.split()]
        weights = np.array([weight for weight, group in FACES for _ in group.split()])
        self.weights = weights / weights.sum()

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, things):
        return things[self.random.integers(len(things))]

    def letters(self, count: int, among: str = SIV_LETTERS, never=("SS",)) -> str:
        while True:
            text = "".join(self.pick(among) for _ in range(count))
            if text not in never:
                return text

    def number(self, digits: int) -> str:
        return f"{self.random.integers(1, 10 ** digits):0{digits}d}"

    def department(self) -> str:
        return self.pick(["2A", "2B", *(f"{n:02d}" for n in range(1, 96)), "971", "974"])

    def white(self) -> tuple:
        shade = self.random.integers(205, 256)
        return tuple(int(v) for v in np.clip(shade - self.random.integers(0, 12, 3), 0, 255))

    def yellow(self) -> tuple:
        return (int(self.random.integers(225, 256)), int(self.random.integers(165, 215)), int(self.random.integers(0, 80)))

    def black(self) -> tuple:
        return tuple(int(v) for v in self.random.integers(5, 55) + self.random.integers(0, 8, 3))

    def band(self) -> tuple:
        return (int(self.random.integers(0, 60)), int(self.random.integers(40, 110)), int(self.random.integers(130, 220)))

    def style(self) -> Style:
        draw = self.random.random()
        if draw < 0.52:
            return self.siv()
        if draw < 0.58:
            return self.garage()
        if draw < 0.72:
            return self.fni()
        return self.european()

    def siv(self) -> Style:
        left, right = self.letters(2, never=("SS", "WW")), self.letters(2)
        if self.chance(0.75):
            # Given out by 2026; the others keep the reader good for the years to come.
            left = self.pick("ABCDEFGH") + left[1]
        digits = self.number(3)
        style = Style([f"{left}-{digits}-{right}"], self.white(), self.black(), "F", self.department(), self.band())
        if self.chance(0.03):
            style.paper, style.ink, style.left, style.right = self.black(), (200, 200, 205), None, None
        elif self.chance(0.06):
            style.right = None
        if self.chance(0.16):
            style.lines = [f"{left}-{digits}", right] if self.chance(0.4) else [left, f"{digits}-{right}"]
            style.ratio = self.pick([275 / 200, 210 / 130, 300 / 200])
        return style

    def garage(self) -> Style:
        """Provisional and trade numbers: red, white on the oldest, pink since 2026."""
        text = f"{self.pick(['W', 'WW'])}-{self.number(3)}-{self.letters(2)}"
        style = Style([text], self.white(), self.black(), "F", self.department(), self.band())
        draw = self.random.random()
        if draw < 0.4:
            style.paper, style.ink = (int(self.random.integers(160, 225)), 20, 35), self.white()
        elif draw < 0.75:
            style.paper = (int(self.random.integers(225, 256)), int(self.random.integers(130, 185)),
                           int(self.random.integers(165, 205)))
        return style

    def fni(self) -> Style:
        digits = str(self.random.integers(1, 10 ** self.pick([2, 3, 4, 4])))
        letters = self.letters(self.pick([1, 2, 2, 2, 3, 3]), "ABCDEFGHJKLMNPQRSTUVWXYZ", ("SS", "TT", "WW"))
        if len(letters) == 3:
            digits = digits[:3]
        department = self.pick(["2A", "2B", "20", *(f"{n:02d}" for n in range(1, 96)) ])
        draw = self.random.random()
        paper, ink = (self.white(), self.black()) if draw < 0.45 else (self.yellow(), self.black())
        if draw > 0.85:
            paper, ink = self.black(), self.pick([(235, 235, 235), (195, 195, 200)])
        style = Style([f"{digits} {letters} {department}"], paper, ink, None, None, self.band())
        if draw < 0.85 and self.chance(0.5):
            style.left = "F"
        if self.chance(0.15):
            style.lines, style.ratio = [f"{digits}", f"{letters} {department}"], self.pick([275 / 200, 210 / 130])
            if self.chance(0.5):
                style.lines = [f"{digits} {letters}", department]
        return style

    def european(self) -> Style:
        country, pattern = self.pick(EUROPE)
        among = {"A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "9": "0123456789", "#": ALPHABET}
        text = "".join(self.pick(among[c]) if c in among else c for c in pattern)
        paper, left = self.white(), country or None
        if country in ("NL", "L") or (country == "GB" and self.chance(0.5)):
            paper = self.yellow()
        ink = (int(self.random.integers(120, 190)), 20, 30) if country == "B" else self.black()
        shield = country == "SK" and self.chance(0.6)
        if country == "CH" or not shield and self.chance(0.12):
            left = None
        style = Style([text], paper, ink, left, "" if country == "I" and self.chance(0.5) else None, self.band(), shield)
        gap = next((i for i, c in enumerate(text) if c in " -@."), 0)
        if gap and self.chance(0.1):
            style.lines, style.ratio = [text[:gap], text[gap + 1 :]], self.pick([340 / 200, 280 / 200])
        return style

    def glyph(self, face: str, char: str, weight: int) -> np.ndarray:
        """A tight mask of one character, CAP pixels high; every weight is drawn once and kept."""
        key = (face, char, weight)
        if key not in self.masks:
            if face not in self.opened:
                self.opened[face] = ImageFont.truetype(str(self.fonts / face), 130)
            sheet = Image.new("L", (260, 240))
            ImageDraw.Draw(sheet).text((50, 30), char, 255, self.opened[face])
            mask = np.array(sheet.crop(sheet.getbbox()))
            mask = cv2.resize(mask, (max(8, round(mask.shape[1] * CAP / mask.shape[0])), CAP), interpolation=cv2.INTER_AREA)
            if weight:
                brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (1 + 2 * abs(weight),) * 2)
                mask = cv2.copyMakeBorder(mask, 6, 6, 6, 6, cv2.BORDER_CONSTANT)
                mask = cv2.dilate(mask, brush) if weight > 0 else cv2.erode(mask, brush)
                mask = mask[6 - max(weight, 0) : mask.shape[0] - 6 + max(weight, 0), 6 - max(weight, 0) : mask.shape[1] - 6 + max(weight, 0)]
            self.masks[key] = mask
        return self.masks[key]

    def pressed(self, char: str, reach: float, stroke: float) -> np.ndarray:
        """W or M as plate makers press them: upright and narrow, the middle reaching only part of the height.

        No font at hand has these shapes, and blurred they are easily taken for H or N."""
        key = (char, reach, stroke)
        if key not in self.masks:
            wide, pad, thick = round(0.62 * CAP), CAP // 2, round(stroke * CAP)
            half = thick / 2
            if char == "W":
                points = [(half, 0), (wide * 0.27, CAP - half), (wide / 2, CAP * (1 - reach)), (wide * 0.73, CAP - half), (wide - half, 0)]
                top = (points[0][0] - wide * 0.06, -pad), (points[-1][0] + wide * 0.06, -pad)
            else:
                points = [(half, CAP + pad), (half, half), (wide / 2, CAP * reach), (wide - half, half), (wide - half, CAP + pad)]
                top = ()
            path = [top[0], *points, top[1]] if top else points
            sheet = np.zeros((CAP + 2 * pad, wide), np.uint8)
            path = (np.float32(path) + [0, pad]) * 16
            cv2.polylines(sheet, [path.round().astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4)
            self.masks[key] = sheet[pad : pad + CAP]
        return self.masks[key]

    def write(self, rgb, line, box, face, ink, weight=0, stretch=1.0, gap=0.12, space=0.45, cell=None, fill=None, lit=None,
              squeeze=False, press=None) -> list:
        """Writes one line centred into the box, squeezed if too wide; returns the centres of its characters.

        `cell` gives every character the same width (a share of the height), `fill` spreads the line over that
        share of the box, `lit` is the colour of the edge that embossing raises, `squeeze`
        keeps wide letters as narrow as the others, `press` is how far the middle of W and M reaches and how thick
        their strokes are."""
        x0, y0, x1, y1 = box
        high = y1 - y0
        masks = [self.pressed(c, *press) if press and c in "WM" else self.glyph(face, c, weight) if c in ALPHABET else None for c in line]
        wide = [high * (stretch * m.shape[1] / CAP if m is not None else space) for m in masks]
        if squeeze:
            # Plate makers press W and M into the room of any other letter.
            most = high * self.random.uniform(0.72, 0.98) * (cell or 0.66)
            wide = [min(w, most) if m is not None else w for w, m in zip(wide, masks)]
        room = [max(w, cell * high) if cell and m is not None else w for w, m in zip(wide, masks)]
        total = sum(room) + gap * high * (len(line) - 1)
        if fill and len(line) > 1:
            gap += float(np.clip(((x1 - x0) * fill - total) / (high * (len(line) - 1)), 0.0, 0.3))
            total = sum(room) + gap * high * (len(line) - 1)
        fit = min(1.0, (x1 - x0) / total)
        x = (x0 + x1 - total * fit) / 2
        centres = []
        for char, mask, width, place in zip(line, masks, wide, room):
            width, place = width * fit, place * fit
            if mask is not None:
                size = (max(2, round(width)), max(3, round(high)))
                small, left = cv2.resize(mask, size, interpolation=cv2.INTER_AREA), round(x + (place - width) / 2)
                if lit is not None:
                    self.stamp(rgb, small, left + 1, round(y0) + 1, lit)
                self.stamp(rgb, small, left, round(y0), ink)
                centres.append((x + place / 2, (y0 + y1) / 2))
            else:
                self.separator(rgb, char, x + place / 2, (y0 + y1) / 2, place, high, ink)
            x += place + gap * high * fit
        return centres

    def separator(self, rgb, char, x, y, wide, high, ink):
        if char == "-":
            half, thick = wide * self.random.uniform(0.28, 0.5), high * self.random.uniform(0.045, 0.09)
            cv2.rectangle(rgb, (round(x - half), round(y - thick)), (round(x + half), round(y + thick)), ink, -1)
        elif char == ".":
            cv2.circle(rgb, (round(x), round(y)), max(2, round(high * 0.08)), ink, -1)
        elif char == "@":
            for up in (-0.24, 0.24) if self.chance(0.4) else (0.0,):
                colour = tuple(int(v) for v in self.random.integers(30, 230, 3))
                radius = max(3, round(min(wide, high) * self.random.uniform(0.25, 0.5)))
                middle = (round(x), round(y + up * high))
                if self.chance(0.5):
                    cv2.circle(rgb, middle, radius, colour, -1)
                else:
                    cv2.rectangle(rgb, (middle[0] - radius, middle[1] - radius), (middle[0] + radius, middle[1] + radius), colour, -1)
                cv2.circle(rgb, middle, max(1, radius // 2), tuple(int(v) for v in self.random.integers(60, 255, 3)), -1)

    def stamp(self, rgb, mask, x, y, ink):
        top, left = max(0, -y), max(0, -x)
        part = rgb[max(0, y) : y + mask.shape[0], max(0, x) : x + mask.shape[1]]
        alpha = mask[top : top + part.shape[0], left : left + part.shape[1], None].astype(np.float32) / 255
        part[:] = (part * (1 - alpha) + np.float32(ink) * alpha).astype(np.uint8)

    def draw(self, style: Style | None = None) -> Plate:
        style, random = style or self.style(), self.random
        two = len(style.lines) == 2
        high = 104 if two else HEIGHT
        wide = round(high * style.ratio * random.uniform(0.96, 1.04))
        rgb = np.empty((high, wide, 3), np.uint8)
        rgb[:] = style.paper
        if self.chance(0.3):
            rgb[:] = np.clip(rgb + np.linspace(random.uniform(-35, 35), random.uniform(-35, 35), high)[:, None, None], 0, 255)
        left = right = 0
        band = round(random.uniform(0.36, 0.46) * HEIGHT)
        face = self.faces[random.choice(len(self.faces), p=self.weights)]
        if style.left is not None:
            left = band
            self.left_band(rgb[:, :band], style, face)
        if style.right is not None:
            right = band
            self.right_band(rgb[:, -band:], style, face)
        if self.chance(0.5):
            edge = tuple(int(v) for v in random.integers(0, 120, 3)) if self.chance(0.6) else style.ink
            cv2.rectangle(rgb, (0, 0), (wide - 1, high - 1), edge, random.integers(1, 3))
        self.screws(rgb, style, left, right)
        look = dict(face=face, ink=style.ink, weight=int(random.choice([-2, -1, 0, 1, 2, 3], p=[0.06, 0.14, 0.4, 0.2, 0.12, 0.08])),
                    stretch=random.uniform(0.85, 1.25), gap=random.uniform(0.06, 0.24), space=random.uniform(0.05, 0.6), squeeze=self.chance(0.7))
        if self.chance(0.55):
            look.update(cell=random.uniform(0.55, 0.72), gap=random.uniform(0.0, 0.14))
        if self.chance(0.6 if style.left == "F" or style.left is None else 0.2):
            look["press"] = (float(random.choice([0.45, 0.55, 0.65, 0.75])), float(random.choice([0.09, 0.12, 0.15, 0.18, 0.21])))
        if self.chance(0.5):
            look["fill"] = random.uniform(0.8, 1.0)
        if self.chance(0.3):
            look["lit"] = tuple(int(np.clip(v + random.uniform(-70, 90), 0, 255)) for v in style.paper)
        edge = random.uniform(0.008, 0.03) * wide
        inside = (left + edge, wide - right - edge)
        tall = random.uniform(0.62, 0.8) * high if not two else random.uniform(0.36, 0.43) * high
        middles = [high * random.uniform(0.48, 0.52)] if not two else [high * 0.27, high * 0.73]
        centres = []
        for line, middle in zip(style.lines, middles):
            centres += self.write(rgb, line, (inside[0], middle - tall / 2, inside[1], middle + tall / 2), **look)
        text = "".join(c for line in style.lines for c in line if c in ALPHABET)
        if not two and self.chance(0.3):
            self.maker(rgb, style, left, right)
        self.dirt(rgb)
        return self.framed(rgb, np.float32(centres), text)

    def shield(self, part, style: Style, face: str):
        """A coat of arms over the letters of the country, without a band: Slovakia until 2004 and since 2023."""
        high, wide = part.shape[:2]
        half, top, low = wide * self.random.uniform(0.24, 0.36), HEIGHT * 0.12, HEIGHT * self.random.uniform(0.5, 0.6)
        outline = np.float32([(-half, top), (half, top), (half, low * 0.75), (0, low), (-half, low * 0.75)]) + [wide / 2, 0]
        cv2.fillPoly(part, [outline.astype(np.int32)], (int(self.random.integers(150, 230)), 40, 55))
        lower = outline[2:].astype(np.int32)
        cv2.fillPoly(part, [lower], (40, 60, int(self.random.integers(130, 200))))
        tall = HEIGHT * self.random.uniform(0.18, 0.26)
        bottom = high - HEIGHT * self.random.uniform(0.06, 0.14)
        self.write(part, style.left, (3, bottom - tall, wide - 3, bottom), face, style.ink)

    def left_band(self, part, style: Style, face: str):
        if style.shield:
            self.shield(part, style, face)
            return
        part[:] = style.band
        high, wide = part.shape[:2]
        if style.left == "GB" and self.chance(0.5):
            part[:] = (0, 110, 60)
        middle = (wide / 2, min(high * 0.34, HEIGHT * 0.34))
        if self.chance(0.9):
            for angle in np.arange(0, 2 * np.pi, np.pi / 6):
                x, y = middle + np.array([np.cos(angle), np.sin(angle)]) * wide * 0.32
                cv2.circle(part, (round(x), round(y)), 1, (250, 215, 40), -1)
        if style.left:
            tall = HEIGHT * self.random.uniform(0.2, 0.3)
            low = high - HEIGHT * self.random.uniform(0.08, 0.16)
            self.write(part, style.left, (3, low - tall, wide - 3, low), face, (240, 240, 240))

    def right_band(self, part, style: Style, face: str):
        part[:] = style.band
        high, wide = part.shape[:2]
        if style.right:
            for _ in range(self.random.integers(1, 4)):
                size = self.random.integers(3, 9, 2)
                middle = (round(wide / 2 + self.random.normal(0, 3)), round(HEIGHT * 0.32 + self.random.normal(0, 4)))
                cv2.ellipse(part, middle, (int(size[0]), int(size[1])), self.random.uniform(0, 180), 0, 360,
                            tuple(int(v) for v in self.random.integers(40, 256, 3)), -1)
            tall = HEIGHT * self.random.uniform(0.2, 0.3)
            low = high - HEIGHT * self.random.uniform(0.08, 0.16)
            self.write(part, style.right, (3, low - tall, wide - 3, low), face, (240, 240, 240))

    def maker(self, rgb, style: Style, left: int, right: int):
        """The small print of a plate maker or dealer along the lower edge."""
        high, wide = rgb.shape[:2]
        name = "".join(self.pick(ALPHABET + "   ") for _ in range(self.random.integers(8, 34))).strip() or "A"
        middle, half = (left + wide - right) / 2, (wide - left - right) * self.random.uniform(0.2, 0.48)
        ink = style.ink if self.chance(0.7) else tuple(int(v) for v in self.random.integers(0, 200, 3))
        self.write(rgb, name, (middle - half, high - self.random.uniform(6, 9), middle + half, high - 2), self.pick(self.faces), ink)

    def screws(self, rgb, style: Style, left: int, right: int):
        if not self.chance(0.35):
            return
        high, wide = rgb.shape[:2]
        colour = self.pick([style.paper, (150, 150, 150), (40, 40, 40), (90, 90, 100)])
        shift = self.random.uniform(0.02, 0.3) * wide
        for x in (left + shift, wide - right - shift):
            middle = (round(x), round(high * self.random.choice([0.5, 0.5, 0.12, 0.88])))
            cv2.circle(rgb, middle, self.random.integers(2, 4), tuple(int(v * 0.8) for v in colour), -1)

    def dirt(self, rgb):
        high, wide = rgb.shape[:2]
        if self.chance(0.25):
            coarse = self.random.random((self.random.integers(3, 12), self.random.integers(6, 40))).astype(np.float32)
            cover = np.clip((cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_CUBIC) - self.random.uniform(0.4, 0.8)) * 1.6, 0, 0.6)
            mud = np.float32(self.random.uniform(30, 140) * np.array([1, 0.9, 0.75]))
            rgb[:] = (rgb * (1 - cover[..., None]) + mud * cover[..., None]).astype(np.uint8)
        for _ in range(self.random.integers(1, 4) if self.chance(0.1) else 0):
            middle = (int(self.random.integers(0, wide)), int(self.random.choice([2, high - 3])))
            cv2.circle(rgb, middle, self.random.integers(3, 9), tuple(int(v) for v in self.random.integers(0, 256, 3)), -1)

    def framed(self, rgb, centres, text) -> Plate:
        """Puts the plate on a padded sheet, half of the time in a holder that may carry a dealer's name."""
        high, wide = rgb.shape[:2]
        sheet = np.zeros((high + 2 * PAD, wide + 2 * PAD, 3), np.uint8)
        seen = np.zeros(sheet.shape[:2], np.uint8)
        if self.chance(0.5):
            rim, foot = self.random.integers(1, 5), self.random.integers(2, 6)
            colour = self.pick([self.black(), self.black(), (190, 190, 195), self.white()])
            if self.chance(0.5):
                foot = self.random.integers(9, 17)
            box = (PAD - rim, PAD - rim, PAD + wide + rim, PAD + high + foot)
            sheet[box[1] : box[3], box[0] : box[2]], seen[box[1] : box[3], box[0] : box[2]] = colour, 255
            if foot > 8:
                name = "".join(self.pick(ALPHABET + " ") for _ in range(self.random.integers(6, 24)))
                ink = (230, 230, 230) if sum(colour) < 380 else tuple(int(v) for v in self.random.integers(0, 140, 3))
                face = self.pick(self.faces)
                self.write(sheet, name, (PAD + 5, PAD + high + 2, PAD + wide - 5, PAD + high + foot - 2), face, ink)
        sheet[PAD : PAD + high, PAD : PAD + wide], seen[PAD : PAD + high, PAD : PAD + wide] = rgb, 255
        corners = np.float32([(0, 0), (wide, 0), (wide, high), (0, high)]) + PAD
        return Plate(sheet, seen, corners, centres + PAD, text)


def main():
    ask = argparse.ArgumentParser(description="Draws one plate, of any series or of a text.")
    ask.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts"))
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--text", help="as on an SIV plate, AA-123-AA; otherwise one is made up")
    ask.add_argument("--department", default="35")
    ask.add_argument("--out", type=Path, required=True)
    given = ask.parse_args()
    plates = Plates(given.fonts, np.random.default_rng(given.seed))
    style = Style([given.text], (245, 246, 244), (18, 18, 20), "F", given.department) if given.text else None
    Image.fromarray(plates.draw(style).rgb).save(given.out)


if __name__ == "__main__":
    main()
