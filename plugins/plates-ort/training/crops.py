"""Turns flat plates into what a reader gets: badly cut, slanted, blurred, small, too dark or too bright crops."""

from pathlib import Path

import cv2
import numpy as np
from torch.utils.data import IterableDataset, get_worker_info

from flat_plates import ALPHABET, Plate, Plates
from reader import BLANK, GRID, HIGH, SLOTS, WIDE

POOL, FRESH = 3000, 0.2


class Crops(IterableDataset):
    """Endless crops (uint8, channel first) with the class of every slot and the map cell of its character."""

    def __init__(self, data: Path, fonts: Path, seed: int):
        self.data, self.fonts, self.seed = data, fonts, seed

    def __iter__(self):
        cv2.setNumThreads(0)
        worker = get_worker_info()
        self.random = np.random.default_rng([self.seed, worker.id if worker else 0])
        self.plates = Plates(self.fonts, self.random)
        self.scenes = self.photos()
        # Drawing a plate costs more than spoiling it, so each one is seen about 1 / FRESH times.
        pool = [self.plates.draw() for _ in range(64)]
        while True:
            if len(pool) < POOL or self.random.random() < FRESH:
                fresh = self.plates.draw()
                if len(pool) < POOL:
                    pool.append(fresh)
                else:
                    pool[self.random.integers(POOL)] = fresh
            rgb, text, centres = self.crop(pool[self.random.integers(len(pool))])
            yield rgb.transpose(2, 0, 1).copy(), *answer(text, centres)

    def photos(self) -> list:
        """Surroundings and non-plates; none of these photos shows a readable plate."""
        paths = [*sorted((self.data / "backgrounds").rglob("*.jpg"))[::3], *sorted((self.data / "car-parts").rglob("*.jpg"))[::2]]
        found = []
        for path in paths:
            rgb = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_2), cv2.COLOR_BGR2RGB)
            scale = 360 / max(rgb.shape[:2])
            found.append(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        return found

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def patch(self) -> np.ndarray:
        if self.chance(0.35) or not self.scenes:
            ends = self.random.integers(0, 256, (2, 1, 1, 3)).astype(np.float32)
            ramp = np.linspace(0, 1, HIGH, dtype=np.float32)[:, None, None]
            return np.repeat(ends[0] * (1 - ramp) + (0.6 * ends[0] + 0.4 * ends[1]) * ramp, WIDE, 1)
        photo = self.scenes[self.random.integers(len(self.scenes))]
        wide = int(self.random.uniform(0.15, 0.9) * photo.shape[1])
        high = min(int(wide * self.random.uniform(0.2, 0.6)) + 4, photo.shape[0])
        x, y = self.random.integers(0, photo.shape[1] - wide + 1), self.random.integers(0, photo.shape[0] - high + 1)
        return cv2.resize(photo[y : y + high, x : x + wide], (WIDE, HIGH), interpolation=cv2.INTER_LINEAR).astype(np.float32)

    def crop(self, plate: Plate):
        if self.chance(0.035):
            return self.spoil(self.patch()), "", None
        quad = self.loose_quad(plate) if self.chance(0.65) else self.upright_box(plate)
        matrix = cv2.getPerspectiveTransform(plate.corners, quad.astype(np.float32))
        rgb = cv2.warpPerspective(plate.rgb, matrix, (WIDE, HIGH), flags=cv2.INTER_AREA)
        seen = cv2.warpPerspective(plate.seen, matrix, (WIDE, HIGH), flags=cv2.INTER_LINEAR)
        alpha = seen[..., None].astype(np.float32) / 255
        rgb = self.patch() * (1 - alpha) + rgb * alpha
        if self.chance(0.015):
            return self.spoil(rgb)[:, ::-1], "", None
        centres = cv2.perspectiveTransform(plate.centres[None], matrix)[0]
        return self.spoil(rgb), plate.text, centres

    def loose_quad(self, plate: Plate) -> np.ndarray:
        """Corners as a detector finds them: a common margin, and an error of its own for each."""
        wide, high = plate.corners[2] - plate.corners[0]
        margin = self.random.uniform(-0.01, 0.05) * wide if self.chance(0.7) else 0.0
        error = np.clip(self.random.normal(0, 0.02 * np.exp(self.random.normal(0, 0.4)), (4, 2)), -0.1, 0.1) * wide
        error[:, 1] = np.clip(error[:, 1], -0.22 * high, 0.22 * high)
        out = np.float32([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * margin * [1, 0.6]
        found = (plate.corners + out + error).astype(np.float32)
        # Seen from the found corners, the true ones land near, not on, those of the crop.
        matrix = cv2.getPerspectiveTransform(found, np.float32([(0, 0), (WIDE, 0), (WIDE, HIGH), (0, HIGH)]))
        return cv2.perspectiveTransform(plate.corners[None], matrix)[0]

    def upright_box(self, plate: Plate) -> np.ndarray:
        """The whole slanted plate in an upright rectangle, for detectors that know no corners."""
        wide, high = plate.corners[2] - plate.corners[0]
        quad = np.float32([(-wide, -high), (wide, -high), (wide, high), (-wide, high)]) / 2
        quad = quad * [self.random.uniform(0.55, 1), 1]
        quad[:, 1] += quad[:, 0] * np.tan(np.radians(np.clip(self.random.normal(0, 5), -14, 14)))
        quad[:, 0] += quad[:, 1] * self.random.normal(0, 0.12)
        quad[:, 1] *= 1 + np.sign(quad[:, 0]) * self.random.normal(0, 0.04)
        low, top = quad.min(0), quad.max(0)
        size = top - low
        low = low - size * self.random.uniform(-0.03, 0.08, 2)
        top = top + size * self.random.uniform(-0.03, 0.08, 2)
        return (quad - low) / (top - low) * [WIDE, HIGH]

    def spoil(self, rgb: np.ndarray) -> np.ndarray:
        """Light first, then lens, then sensor and file, in the order in which a phone does it."""
        random = self.random
        if self.chance(0.3):
            rgb = rgb * self.shadow()[..., None]
        gain = np.exp(random.normal(0, 0.3)) * np.exp(random.normal(0, 0.05, 3))
        lift = random.uniform(0, 60) if self.chance(0.3) else 0.0
        rgb = rgb * gain * (1 - lift / 255) + lift
        if self.chance(0.08):
            rgb = rgb * random.uniform(1.3, 2.2)
        if self.chance(0.1):
            spot = np.zeros((HIGH, WIDE), np.float32)
            cv2.ellipse(spot, (int(random.integers(WIDE)), int(random.integers(HIGH))), (int(random.integers(8, 70)), int(random.integers(6, 30))),
                        0, 0, 360, random.uniform(60, 220), -1)
            rgb = rgb + cv2.GaussianBlur(spot, (0, 0), random.uniform(4, 14))[..., None]
        rgb = np.clip(rgb, 0, 255)
        if self.chance(0.5):
            rgb = 255 * (rgb / 255) ** np.float32(np.exp(random.normal(0, 0.3)))
        rgb = rgb.astype(np.uint8)
        if self.chance(0.5):
            rgb = cv2.GaussianBlur(rgb, (0, 0), random.uniform(0.3, 1.6))
        if self.chance(0.2):
            rgb = cv2.filter2D(rgb, -1, self.motion())
        if self.chance(0.6):
            wide = np.exp(random.uniform(np.log(60), np.log(WIDE)))
            rgb = cv2.resize(rgb, (round(wide), max(14, round(wide * random.uniform(0.2, 0.34)))), interpolation=cv2.INTER_AREA)
        if self.chance(0.08):
            rgb = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        if self.chance(0.35):
            noise = random.standard_normal(rgb.shape, np.float32) * random.uniform(2, 16)
            rgb = np.clip(rgb + noise, 0, 255).astype(np.uint8)
        if self.chance(0.5):
            quality = int(random.integers(25, 92))
            rgb = cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
        return cv2.resize(rgb, (WIDE, HIGH), interpolation=cv2.INTER_LINEAR)

    def shadow(self) -> np.ndarray:
        x, y = np.meshgrid(np.arange(WIDE, dtype=np.float32), np.arange(HIGH, dtype=np.float32))
        turn = self.random.uniform(0, 2 * np.pi)
        side = (x - self.random.uniform(0, WIDE)) * np.cos(turn) + (y - self.random.uniform(0, HIGH)) * np.sin(turn)
        return 1 - self.random.uniform(0.2, 0.7) / (1 + np.exp(np.clip(-side / self.random.uniform(0.5, 8), -30, 30)))

    def motion(self) -> np.ndarray:
        length = int(self.random.integers(3, 10)) | 1
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1
        turn = cv2.getRotationMatrix2D((length // 2, length // 2), self.random.normal(0, 35), 1)
        kernel = cv2.warpAffine(kernel, turn, (length, length))
        return kernel / kernel.sum()


def answer(text: str, centres):
    """Class of each slot, and the cell of the coarse map that its character lies in (-1 without one)."""
    classes, cells = np.full(SLOTS, BLANK, np.int64), np.full(SLOTS, -1, np.int64)
    for slot, char in enumerate(text):
        classes[slot] = ALPHABET.index(char)
        column, row = int(centres[slot][0] * GRID[1] / WIDE), int(centres[slot][1] * GRID[0] / HIGH)
        if 0 <= column < GRID[1] and 0 <= row < GRID[0]:
            cells[slot] = row * GRID[1] + column
    return classes, cells
