"""Makes pictures with plates at known corners: drawn plates put on photos of cars, and some real photos with boxes."""

import csv
from pathlib import Path

import cv2
import numpy as np
from torch.utils.data import IterableDataset, get_worker_info

from detector import HIGH, WIDE, target
from flat_plates import Plate, Plates
from foreign_plates import ForeignPlates


class Scenes(IterableDataset):
    """Endless pictures (uint8, channel first) with heat, corners, and whether the corners are exact."""

    # How wide plates are in the picture, in pixels.
    widths = (26, 260)
    size = (WIDE, HIGH)
    # Share of plates that nobody in Europe has. Large ones are not learned: boots and bonnets look like them.
    foreign, largest_foreign = 0.2, 170

    def __init__(self, data: Path, fonts: Path, seed: int):
        self.data, self.fonts, self.seed = data, fonts, seed

    def __iter__(self):
        cv2.setNumThreads(0)
        worker = get_worker_info()
        self.random = np.random.default_rng([self.seed, worker.id if worker else 0])
        self.plates, self.others = Plates(self.fonts, self.random), ForeignPlates(self.fonts, self.random)
        self.cars, self.empty, self.boxed = self.car_photos(), self.empty_photos(), self.boxed_photos()
        while True:
            real = self.chance(0.15) and self.boxed
            rgb, quads = self.boxed_scene() if real else self.pasted_scene()
            heat, corners = target(quads)
            yield self.spoil(rgb).transpose(2, 0, 1).copy(), heat, corners, np.float32(0 if real else 1)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, things):
        return things[self.random.integers(len(things))]

    def car_photos(self) -> list:
        """Photos whose own plates are blurred or blank, with the box of the car's drawn parts."""
        found = []
        for row in csv.DictReader(open(self.data / "car-parts" / "labels.csv", newline="")):
            if row["in_eval_masks"] == "yes":
                continue
            rgb = read_rgb(self.data.parent / row["image"])
            parts = cv2.imread(str(self.data.parent / row["parts"]), cv2.IMREAD_GRAYSCALE) > 0
            rows, columns = np.flatnonzero(parts.any(1)), np.flatnonzero(parts.any(0))
            if len(rows):
                scale = rgb.shape[1] / parts.shape[1]
                found.append((rgb, np.float32([columns[0], rows[0], columns[-1], rows[-1]]) * scale))
        return found

    def empty_photos(self) -> list:
        return [read_rgb(path) for path in sorted((self.data / "backgrounds" / "images").iterdir())[::2]]

    def boxed_photos(self) -> list:
        boxes = {}
        for row in csv.DictReader(open(self.data / "plates-ro" / "labels.csv", newline="")):
            boxes.setdefault(row["file"], []).append([float(row[k]) for k in ("x0", "y0", "x1", "y1")])
        found = []
        for name, places in boxes.items():
            whole = cv2.imread(str(self.data.parent / name))
            rgb = read_rgb(self.data.parent / name, 1024)
            found.append((rgb, np.float32(places) * rgb.shape[1] / whole.shape[1]))
        return found

    def view(self, rgb: np.ndarray, middle, wide: float):
        """The part of a photo that is `wide` pixels wide around a point, as the network gets it."""
        scale = self.size[0] / wide
        shift = np.float32(self.size) / 2 - np.float32(middle) * scale
        matrix = np.float32([[scale, 0, shift[0]], [0, scale, shift[1]]])
        if scale < 0.7:
            rgb = cv2.GaussianBlur(rgb, (0, 0), 0.35 / scale)
        return cv2.warpAffine(rgb, matrix, self.size, flags=cv2.INTER_LINEAR,
                              borderMode=cv2.BORDER_CONSTANT, borderValue=(128, 128, 128)), matrix

    def boxed_scene(self):
        rgb, boxes = self.pick(self.boxed)
        x0, y0, x1, y1 = self.pick(boxes)
        wide = min(np.exp(self.random.uniform(np.log(2.2), np.log(12))) * (x1 - x0), rgb.shape[1])
        middle = np.float32([(x0 + x1) / 2, (y0 + y1) / 2]) + self.random.uniform(-0.3, 0.3, 2) * [wide, wide * 0.75]
        seen, matrix = self.view(rgb, middle, wide)
        quads = [np.float32([(a, b), (c, b), (c, d), (a, d)]) @ matrix[:, :2].T + matrix[:, 2] for a, b, c, d in boxes]
        return seen, [q for q in quads if inside(q, self.size)]

    def pasted_scene(self):
        if self.chance(0.12):
            rgb = self.pick(self.empty)
            seen, _ = self.view(rgb, np.float32(rgb.shape[1::-1]) * self.random.uniform(0.3, 0.7, 2), rgb.shape[1] * self.random.uniform(0.4, 1))
            return (seen, []) if self.chance(0.6) else self.paste(seen, self.random.uniform(0.15, 0.85, 2) * np.array(self.size), [])
        rgb, (x0, y0, x1, y1) = self.pick(self.cars)
        if self.chance(0.5):
            rgb, x0, x1 = rgb[:, ::-1], rgb.shape[1] - x1, rgb.shape[1] - x0
        spot = np.float32([self.random.uniform(x0, x1), y0 + (y1 - y0) * self.random.uniform(0.5, 1.0)])
        wide = (x1 - x0) * np.exp(self.random.uniform(np.log(0.45), np.log(1.7)))
        middle = spot + self.random.uniform(-0.36, 0.36, 2) * [wide, wide * 0.75]
        seen, matrix = self.view(np.ascontiguousarray(rgb), middle, wide)
        if self.chance(0.12):
            return seen, []
        seen, quads = self.paste(seen, matrix[:, :2] @ spot + matrix[:, 2], [])
        if self.chance(0.12):
            seen, quads = self.paste(seen, self.random.uniform(0.1, 0.9, 2) * np.array(self.size), quads)
        return seen, quads

    def paste(self, seen: np.ndarray, middle, quads: list):
        is_foreign = self.chance(self.foreign)
        plate = self.drawn = (self.others if is_foreign else self.plates).draw()
        quad = self.project(plate, middle, self.largest_foreign if is_foreign else self.widths[1])
        if not inside(quad, self.size) or any(np.abs(q.mean(0) - quad.mean(0)).max() < np.ptp(q, 0).max() + np.ptp(quad, 0).max() for q in quads):
            return seen, quads
        # Only the surroundings of the plate are touched: mixing the whole picture would cost more than all the rest.
        reach = 0.25 * np.ptp(quad, 0).max() + 8
        left, top = np.maximum(quad.min(0) - reach, 0).astype(int)
        right, bottom = np.minimum(quad.max(0) + reach, self.size).astype(int)
        part = seen[top:bottom, left:right].astype(np.float32)
        size = (int(right - left), int(bottom - top))
        matrix = cv2.getPerspectiveTransform(plate.corners, quad - np.float32([left, top]))
        shrink = np.linalg.norm(quad[1] - quad[0]) / np.linalg.norm(plate.corners[1] - plate.corners[0])
        flat = cv2.GaussianBlur(plate.rgb, (0, 0), 0.4 / shrink) if shrink < 0.7 else plate.rgb
        warped = cv2.warpPerspective(flat, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpPerspective(plate.seen, matrix, size, flags=cv2.INTER_LINEAR)[..., None].astype(np.float32) / 255
        # The plate takes on the light of where it hangs, more or less.
        around = part.mean((0, 1))
        light = np.clip(np.exp(self.random.normal(0, 0.3)) * (0.45 + around.mean() / 255), 0.2, 1.2)
        tint = 1 + self.random.uniform(0, 0.25) * (around / max(around.mean(), 1) - 1)
        if self.chance(0.3):
            halo = cv2.GaussianBlur(alpha, (0, 0), self.random.uniform(1, 4))[..., None]
            part *= 1 - halo * self.random.uniform(0.2, 0.7)
        seen = seen.copy()
        seen[top:bottom, left:right] = part * (1 - alpha) + np.clip(warped * light * tint, 0, 255) * alpha
        return seen, [*quads, quad]

    def project(self, plate: Plate, middle, widest: float) -> np.ndarray:
        """A flat plate turned in space and seen by a pinhole camera: a true homography."""
        size = plate.corners[2] - plate.corners[0]
        flat = (plate.corners - plate.corners.mean(0)) / size[0]
        yaw, pitch, roll = np.radians([np.clip(self.random.normal(0, 34), -68, 68), self.random.normal(0, 14), self.random.normal(0, 6)])
        turn = cv2.Rodrigues(np.float32([0, yaw, 0]))[0]
        turn = cv2.Rodrigues(np.float32([0, 0, roll]))[0] @ cv2.Rodrigues(np.float32([pitch, 0, 0]))[0] @ turn
        points = np.column_stack([flat, np.zeros(4)]) @ turn.T
        points[:, 2] += self.random.uniform(3, 14)
        seen = points[:, :2] / points[:, 2:]
        wide = np.exp(self.random.uniform(*np.log((self.widths[0], widest))))
        seen = (seen - seen.mean(0)) * wide / max(np.ptp(seen[:, 0]), 0.7 * np.ptp(flat[:, 0] / points[:, 2].mean()))
        return (seen + middle).astype(np.float32)

    def spoil(self, rgb: np.ndarray) -> np.ndarray:
        if self.chance(0.8):
            gain = np.exp(self.random.uniform(-0.4, 0.35) + self.random.uniform(-0.08, 0.08, 3))
            curve = np.linspace(0, 1, 256)[:, None] ** np.exp(self.random.uniform(-0.35, 0.35)) * gain
            rgb = cv2.LUT(np.ascontiguousarray(rgb), np.clip(curve * 255, 0, 255).astype(np.uint8)[None])
        if self.chance(0.3):
            rgb = cv2.GaussianBlur(rgb, (0, 0), self.random.uniform(0.4, 1.4))
        if self.chance(0.25):
            noise = self.random.standard_normal(rgb.shape, np.float32) * self.random.uniform(2, 12)
            rgb = np.clip(rgb + noise, 0, 255).astype(np.uint8)
        if self.chance(0.08):
            rgb = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        if self.chance(0.35):
            quality = int(self.random.integers(35, 90))
            rgb = cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
        return rgb


def inside(quad: np.ndarray, size) -> bool:
    """Whole plates only: half a plate can not be read, and its corners would be guesses."""
    return bool((quad.min(0) >= -4).all() and (quad.max(0) <= np.array(size) + 4).all())


def read_rgb(path: Path, longest: int = 720) -> np.ndarray:
    rgb = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    scale = min(1.0, longest / max(rgb.shape[:2]))
    return cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
