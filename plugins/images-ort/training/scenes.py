"""Makes one training picture: a photo as it is, or its car put into another scene."""

from pathlib import Path

import cv2
import numpy as np
from torch.utils.data import IterableDataset, get_worker_info

from net import SIDE


class Scenes(IterableDataset):
    """Endless random pairs of RGB and mask, both uint8 and channel first."""

    def __init__(self, cache: Path, seed: int):
        self.cache, self.seed = cache, seed

    def __iter__(self):
        cv2.setNumThreads(0)
        worker = get_worker_info()
        self.random = np.random.default_rng([self.seed, worker.id if worker else 0])
        self.cars = np.load(self.cache / "cars.npy", mmap_mode="r")
        self.sizes = np.load(self.cache / "sizes.npy")
        self.scenes = np.load(self.cache / "backgrounds.npy", mmap_mode="r")
        while True:
            rgb, mask = self.picture()
            yield rgb.transpose(2, 0, 1).copy(), mask[None].copy()

    def picture(self) -> tuple[np.ndarray, np.ndarray]:
        draw = self.random.random()
        if draw < 0.03:
            rgb, mask = self.backdrop(), np.zeros((SIDE, SIDE), np.uint8)
        elif draw < 0.50:
            rgb, mask = self.in_place()
        else:
            rgb, mask = self.moved()
        return self.spoil(rgb), mask

    def car(self, real_scene: bool = False) -> np.ndarray:
        """A random car row, cut to its photo; photos with hand-drawn parts come more often."""
        kind = self.sizes[:, 2]
        group = np.flatnonzero(kind == 1) if self.random.random() < (0.6 if real_scene else 0.3) else None
        index = self.random.choice(group) if group is not None and len(group) else self.random.integers(len(kind))
        height, width, _ = self.sizes[index]
        car = np.asarray(self.cars[index][:height, :width])
        return car[:, ::-1] if self.random.random() < 0.5 else car

    def place(self, car: np.ndarray, stretch: tuple[float, float], turn: float, centre) -> np.ndarray:
        """Warps a row so that the given point (x, y in 0..1 of the canvas) shows its middle."""
        height, width = car.shape[:2]
        cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        grow = np.array([[cos, -sin], [sin, cos]]) @ np.diag([SIDE / width * stretch[0], SIDE / height * stretch[1]])
        shift = np.array(centre) * SIDE - grow @ [width / 2, height / 2]
        matrix = np.column_stack([grow, shift])
        return cv2.warpAffine(np.ascontiguousarray(car), matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR,
                              borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0))

    def in_place(self):
        """The photo squeezed to the square as in production, now and then zoomed or cut."""
        car = self.car(real_scene=True)
        if self.random.random() < 0.4:
            car = np.dstack([car, np.full(car.shape[:2], 255, np.uint8)])
            zoom = self.random.uniform(0.7, 1.5)
            bent = zoom * np.exp(self.random.uniform(-0.15, 0.15, 2))
            centre = 0.5 + self.random.uniform(-0.25, 0.25, 2)
            seen = self.place(car, bent, self.random.uniform(-5, 5), centre)
            inside = seen[..., 4:].astype(np.float32) / 255
            rgb = seen[..., :3] * inside + self.backdrop() * (1 - inside)
            return rgb.astype(np.uint8), seen[..., 3]
        seen = cv2.resize(np.ascontiguousarray(car), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        return seen[..., :3], seen[..., 3]

    def backdrop(self) -> np.ndarray:
        """A part of a house photo, a part of another car's photo blurred away, or a plain gradient."""
        draw = self.random.random()
        if draw < 0.12:
            ends = self.random.integers(0, 256, (2, 3)) * 0.5 + self.random.integers(0, 128)
            ramp = np.linspace(0, 1, SIDE)[:, None, None]
            return np.broadcast_to(ends[0] * (1 - ramp) + ends[1] * ramp, (SIDE, SIDE, 3)).astype(np.uint8)
        scene = np.asarray(self.scenes[self.random.integers(len(self.scenes))])
        size = int(self.random.uniform(0.4, 1.0) * scene.shape[0])
        x, y = self.random.integers(0, scene.shape[0] - size + 1, 2)
        scene = scene[y : y + size, x : x + size]
        if self.random.random() < 0.5:
            scene = scene[:, ::-1]
        scene = cv2.resize(np.ascontiguousarray(scene), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        return cv2.GaussianBlur(scene, (0, 0), self.random.uniform(0.5, 3)) if draw > 0.7 else scene

    def moved(self):
        """Cut out and put on another ground: with a shadow or a reflection, often beside or before strange cars."""
        car = self.car()
        rgb = (self.backdrop() if self.random.random() < 0.85 else self.wall_like(car)).astype(np.float32)
        rgb = self.streaked(rgb) if self.random.random() < 0.06 else rgb
        for _ in range(self.random.choice(3, p=[0.6, 0.3, 0.1])):
            side = self.random.choice([-0.05, 1.05]) + self.random.uniform(-0.15, 0.15)
            other = self.place(self.car(), self.stretch(0.2, 0.5), 0.0, (side, self.random.uniform(0.35, 0.6)))
            rgb = over(rgb, other[..., :3], other[..., 3])
        low, high = (0.12, 0.3) if self.random.random() < 0.12 else (0.3, 1.2)
        share = self.random.uniform(low, high)
        seen = self.place(car, self.stretch(share, share), self.random.uniform(-4, 4),
                          (self.random.uniform(0.33, 0.67), self.random.uniform(0.42, 0.67)))
        mask = seen[..., 3]
        if self.random.random() < 0.7:
            rgb *= 1 - self.shadow(mask)[..., None]
        if self.random.random() < 0.12:
            rgb = self.mirrored(rgb, seen)
        light = np.exp(self.random.uniform(-0.25, 0.25)) * np.exp(self.random.uniform(-0.06, 0.06, 3))
        return over(rgb, np.clip(seen[..., :3] * light, 0, 255), mask).astype(np.uint8), mask

    def wall_like(self, car: np.ndarray) -> np.ndarray:
        """A wall and a floor nearly of the car's own colour, as a white car before a white wall."""
        paint = car[car[..., 3] > 200][:, :3]
        paint = np.percentile(paint, self.random.uniform(40, 95), axis=0) if len(paint) else np.full(3, 200.0)
        wall, floor = (np.clip(paint + self.random.normal(0, 14) + self.random.normal(0, 4, 3), 0, 255) for _ in "ab")
        ground = np.empty((SIDE, SIDE, 3), np.float32)
        ground[:] = wall
        ground[int(self.random.uniform(0.4, 0.85) * SIDE):] = floor
        ground += cv2.resize(self.random.normal(0, 6, (6, 6)).astype(np.float32), (SIDE, SIDE))[..., None]
        return np.clip(cv2.GaussianBlur(ground, (0, 0), self.random.uniform(1, 6)), 0, 255)

    def streaked(self, rgb: np.ndarray) -> np.ndarray:
        """The ground behind a car that the camera followed."""
        return cv2.blur(rgb, (int(self.random.integers(5, 25)), 1))

    def mirrored(self, rgb: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """A wet or polished floor shows the car upside down under its wheels; the reflection is no car."""
        rows = np.flatnonzero(seen[..., 3].max(1) > 127)
        if not len(rows) or rows[-1] >= SIDE - 8:
            return rgb
        turned = np.zeros_like(seen)
        height = min(SIDE - 1 - rows[-1], rows[-1] + 1)
        turned[rows[-1] + 1 : rows[-1] + 1 + height] = seen[rows[-1] - height + 1 : rows[-1] + 1][::-1]
        strength = self.random.uniform(0.1, 0.4) * np.linspace(1, 0.2, SIDE, dtype=np.float32)[:, None, None]
        weight = cv2.GaussianBlur(turned[..., 3], (0, 0), 2).astype(np.float32)[..., None] / 255 * strength
        soft = cv2.GaussianBlur(turned[..., :3], (0, 0), self.random.uniform(0.7, 3)).astype(np.float32)
        return rgb * (1 - weight) + soft * weight

    def stretch(self, low: float, high: float):
        share = self.random.uniform(low, high)
        return share * np.exp(self.random.uniform(-0.2, 0.2)), share * np.exp(self.random.uniform(-0.2, 0.2))

    def shadow(self, mask: np.ndarray) -> np.ndarray:
        """The lower part of the outline, moved down and blurred: near enough to a real one."""
        rows = np.flatnonzero(mask.max(1) > 127)
        if not len(rows):
            return np.zeros((SIDE, SIDE), np.float32)
        dark = mask.astype(np.float32) / 255
        dark[: int(rows[0] + 0.6 * (rows[-1] - rows[0]))] = 0
        dark = np.roll(dark, self.random.integers(2, 10), axis=0)
        return cv2.GaussianBlur(dark, (0, 0), self.random.uniform(2, 8)) * self.random.uniform(0.3, 0.8)

    def spoil(self, rgb: np.ndarray) -> np.ndarray:
        """Light, colour, blur, grain and JPEG as phones produce them."""
        rgb = np.ascontiguousarray(rgb)
        if self.random.random() < 0.8:
            gain = np.exp(self.random.uniform(-0.35, 0.35) + self.random.uniform(-0.08, 0.08, 3))
            curve = np.linspace(0, 1, 256)[:, None] ** np.exp(self.random.uniform(-0.3, 0.3)) * gain
            table = np.clip(curve * 255, 0, 255).astype(np.uint8)
            rgb = cv2.LUT(rgb, table[None])
        if self.random.random() < 0.1:
            rgb = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        if self.random.random() < 0.2:
            rgb = cv2.GaussianBlur(rgb, (0, 0), self.random.uniform(0.4, 1.2))
        if self.random.random() < 0.12:
            # A far car looked at closely, or a picture out of a messenger.
            few = int(self.random.uniform(50, 200))
            rgb = cv2.resize(cv2.resize(rgb, (few, few), interpolation=cv2.INTER_AREA), (SIDE, SIDE))
        if self.random.random() < 0.2:
            grain = self.random.normal(0, self.random.uniform(2, 10), rgb.shape)
            rgb = np.clip(rgb + grain, 0, 255).astype(np.uint8)
        if self.random.random() < 0.3:
            quality = int(self.random.integers(35, 90))
            rgb = cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
        return rgb


def over(ground: np.ndarray, rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Lays a cut-out on a ground; its outline is pulled in, so that no old ground shines through."""
    alpha = np.clip((cv2.GaussianBlur(mask, (0, 0), 0.7).astype(np.float32) - 64) / 160, 0, 1)[..., None]
    return rgb * alpha + ground * (1 - alpha)
