"""Turns the photo folders into three flat uint8 arrays, so that loading never slows training.

Rows of cars.npy are 352 x 352 x 4 (R, G, B, car), rows of backgrounds.npy 352 x 352 x 3. A photo
fills its row from the top left corner; sizes.npy keeps (height, width, source) of each car row.
"""

import argparse
import csv
import os
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

SIDE = 352
MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
TAGGED, PARTS, TAUGHT = 0, 1, 2
# IoU of GrabCut and teacher from which GrabCut's sharper outline is believed.
AGREE = 0.92


class Teacher:
    """A salient-object network whose masks our own network imitates; it is never shipped."""

    def __init__(self, path: Path, threads: int):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(path), options)
        self.name = self.session.get_inputs()[0].name

    def mask(self, rgb: np.ndarray) -> np.ndarray:
        small = cv2.resize(rgb, (320, 320), interpolation=cv2.INTER_AREA).astype(np.float32)
        planes = ((small / max(small.max(), 1.0) - MEAN) / STD).transpose(2, 0, 1)[None]
        soft = self.session.run(None, {self.name: planes})[0][0, 0]
        soft = (soft - soft.min()) / max(float(soft.max() - soft.min()), 1e-6)
        return (cv2.resize(soft, (rgb.shape[1], rgb.shape[0])) * 255).round().astype(np.uint8)


def read_rgb(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"{path} cannot be read")
    picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    scale = SIDE / max(picture.shape[:2])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def trusted(mask: np.ndarray) -> bool:
    """The rule the supplied masks were filtered with: decided, one blob, neither tiny nor full."""
    soft = mask.astype(np.float32) / 255
    hard = (mask > 127).astype(np.uint8)
    share = hard.mean()
    count, _, stats, _ = cv2.connectedComponentsWithStats(hard)
    largest = stats[1:, cv2.CC_STAT_AREA].max() / hard.sum() if count > 1 else 0
    unsure = ((soft > 0.2) & (soft < 0.8)).sum() / max(hard.sum(), 1)
    return bool(0.05 <= share <= 0.8 and largest >= 0.97 and unsure <= 0.12
                and np.abs(2 * soft - 1).mean() >= 0.9)


def tagged_cars(data: Path):
    folder = data / "cars-unlabelled"
    for row in csv.DictReader(open(folder / "index.csv", newline="")):
        if row["keep"] == "1":
            rgb = read_rgb(folder / row["file"])
            mask = cv2.imread(str(folder / row["mask"]), cv2.IMREAD_GRAYSCALE)
            yield rgb, cv2.resize(mask, (rgb.shape[1], rgb.shape[0])), TAGGED


def completed(rgb: np.ndarray, parts: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """Hand-drawn parts completed by GrabCut (Rother, Kolmogorov and Blake, 2004) where the teacher agrees with it,
    by the teacher alone where it does not: parts are surely car, what nobody drew (roof, pillars, fenders) is not."""
    near = cv2.dilate(np.maximum(parts, (soft > 76).astype(np.uint8) * 255), np.ones((15, 15), np.uint8))
    labels = np.full(parts.shape, cv2.GC_PR_BGD, np.uint8)
    labels[soft > 127] = cv2.GC_PR_FGD
    labels[near == 0] = cv2.GC_BGD
    labels[cv2.erode(parts, np.ones((3, 3), np.uint8)) > 127] = cv2.GC_FGD
    models = np.zeros((2, 1, 65))
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    cv2.grabCut(bgr, labels, None, models[0], models[1], 4, cv2.GC_INIT_WITH_MASK)
    cut = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8) * 255
    cut = cv2.medianBlur(filled(largest(cut)), 5)
    taught = np.maximum(soft, parts)
    both, either = (cut & ((taught > 127) * 255)).astype(bool).sum(), ((cut > 0) | (taught > 127)).sum()
    agree = both / max(either, 1) > AGREE
    return np.maximum(cv2.GaussianBlur(cut, (0, 0), 0.8), parts) if agree else taught


def largest(mask: np.ndarray) -> np.ndarray:
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask)
    return ((pieces == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()) * 255).astype(np.uint8) if count > 1 else mask


def filled(mask: np.ndarray) -> np.ndarray:
    """Closes holes smaller than a hundredth of the mask; larger ones are ground seen under the car."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(255 - mask)
    small = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] * 100 < (mask > 0).sum()]
    return np.where(np.isin(pieces, small), 255, mask).astype(np.uint8)


def part_cars(data: Path, teacher: Teacher):
    for row in csv.DictReader(open(data / "car-parts" / "labels.csv", newline="")):
        if row["in_eval_masks"] == "yes":
            continue
        rgb = read_rgb(data.parent / row["image"])
        parts = cv2.imread(str(data.parent / row["parts"]), cv2.IMREAD_GRAYSCALE)
        parts = ((parts > 0) * 255).astype(np.uint8)
        parts = cv2.resize(parts, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_AREA)
        yield rgb, completed(rgb, parts, teacher.mask(rgb)), PARTS


def taught_cars(data: Path, teacher: Teacher, limit: int):
    folder = data / "cars-unlabelled"
    rows = [r for r in csv.DictReader(open(folder / "index.csv", newline="")) if not r["mask"]]
    for row in rows[:: max(1, len(rows) // limit)][:limit] if limit else []:
        rgb = read_rgb(folder / row["file"])
        mask = teacher.mask(rgb)
        if trusted(mask):
            yield rgb, mask, TAUGHT


def pack(pictures: list[np.ndarray]) -> np.ndarray:
    rows = np.zeros((len(pictures), SIDE, SIDE, pictures[0].shape[2]), np.uint8)
    for row, picture in zip(rows, pictures):
        row[: picture.shape[0], : picture.shape[1]] = picture
    return rows


def main():
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--data", type=Path, required=True, help="folder with cars-unlabelled, car-parts, backgrounds")
    ask.add_argument("--teacher", type=Path, required=True, help="u2netp ONNX file")
    ask.add_argument("--cache", type=Path, required=True)
    ask.add_argument("--more", type=int, default=0, help="unlabelled photos to have the teacher label as well")
    ask.add_argument("--threads", type=int, default=1)
    given = ask.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    teacher = Teacher(given.teacher, given.threads)
    cars, sizes = [], []
    for source in (tagged_cars(given.data), part_cars(given.data, teacher),
                   taught_cars(given.data, teacher, given.more)):
        for rgb, mask, kind in source:
            cars.append(np.dstack([rgb, mask]))
            sizes.append((*rgb.shape[:2], kind))
        print(f"{len(cars)} cars", flush=True)
    scenes = []
    for path in sorted((given.data / "backgrounds" / "images").iterdir()):
        scenes.append(cv2.resize(read_rgb(path), (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    for name, rows in (("cars", pack(cars)), ("backgrounds", np.stack(scenes)), ("sizes", np.int32(sizes))):
        np.save(given.cache / f"{name}.tmp.npy", rows)
        os.replace(given.cache / f"{name}.tmp.npy", given.cache / f"{name}.npy")


if __name__ == "__main__":
    main()
