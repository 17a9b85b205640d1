"""Cuts cars out of the same photos with our network, with u2netp through our pipeline, and with rembg and the same u2netp.

One process each, one thread, times from file to mask. The last line is one JSON object: IoU and boundary F of each
(the definitions of `keroxio eval images`), medians per photo, and how long one photo of 12 megapixels takes rembg.
Usage: beside.py --keroxio PROGRAM --u2netp FILE --data MASKS [--large PHOTO --whole MILLISECONDS]
"""

import argparse
import csv
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
TOLERANCE = 0.0075


def outline(car):
    import numpy as np

    edge = np.zeros_like(car)
    edge[:, 1:] |= car[:, 1:] & ~car[:, :-1]
    edge[:, :-1] |= car[:, :-1] & ~car[:, 1:]
    edge[1:] |= car[1:] & ~car[:-1]
    edge[:-1] |= car[:-1] & ~car[1:]
    return edge


def score(truth, guess):
    import cv2
    import numpy as np

    either = (truth | guess).sum()
    iou = (truth & guess).sum() / either if either else 1.0
    reach = TOLERANCE * np.hypot(*truth.shape)
    mine, theirs = outline(truth), outline(guess)

    def near(these, those):
        if not these.any():
            return None
        if not those.any():
            return 0.0
        away = cv2.distanceTransform((~those).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        return float((away[these] <= reach).mean())

    recall, precision = near(mine, theirs), near(theirs, mine)
    if recall is None and precision is None:
        return iou, 1.0
    total = (recall or 0) + (precision or 0)
    return iou, 2 * (recall or 0) * (precision or 0) / total if total else 0.0


def rembg(given):
    """In a process of its own: prints what rembg reaches."""
    import cv2
    import numpy as np
    from PIL import Image
    from rembg import new_session, remove

    # It takes models from its own folder only.
    home = Path(tempfile.mkdtemp())
    os.environ["U2NET_HOME"] = str(home)
    shutil.copy(given.u2netp, home / "u2netp.onnx")
    session = new_session("u2net_custom", providers=["CPUExecutionProvider"], model_path=str(home / "u2netp.onnx"))
    scores, times = [], []
    for row in csv.DictReader(open(given.data / "labels.csv", newline="")):
        truth = cv2.imread(str(given.data.parent / row["mask"]), cv2.IMREAD_GRAYSCALE) > 127
        begun = time.perf_counter()
        mask = remove(Image.open(given.data.parent / row["image"]).convert("RGB"), session=session, only_mask=True)
        times.append(1000 * (time.perf_counter() - begun))
        scores.append(score(truth, np.asarray(mask) >= 128))
    large = []
    for _ in range(5 if given.large else 0):
        begun = time.perf_counter()
        remove(Image.open(given.large).convert("RGB"), session=session)
        large.append(1000 * (time.perf_counter() - begun))
    ious = [iou for iou, _ in scores]
    print(json.dumps({
        "n": len(scores), "iou_mean": round(statistics.mean(ious), 4), "iou_median": round(statistics.median(ious), 4),
        "boundary_f": round(statistics.mean(f for _, f in scores), 4),
        "under_090": round(sum(iou < 0.9 for iou in ious) / len(ious), 4),
        "ms_median": round(statistics.median(times), 1),
        "large_ms": round(statistics.median(large), 1) if large else None,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


def ours(given, models, store):
    command = [given.keroxio, "eval", "images", "--data", given.data, "--json"]
    settings = {**os.environ, "KEROXIO_IMAGES_MODELS": models, "KEROXIO_MODELS_DIR": str(store)}
    return json.loads(subprocess.run(command, env=settings, check=True, capture_output=True).stdout.splitlines()[-1])


def main():
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--keroxio", type=Path, required=True)
    ask.add_argument("--u2netp", type=Path, required=True)
    ask.add_argument("--data", type=Path, required=True, help="folder with labels.csv")
    ask.add_argument("--large", type=Path, help="a photo of 12 megapixels")
    ask.add_argument("--whole", type=float, help="milliseconds that ours takes from upload to rendition of that photo")
    ask.add_argument("--rembg", action="store_true", help=argparse.SUPPRESS)
    given = ask.parse_args()
    if given.rembg:
        return rembg(given)
    with tempfile.TemporaryDirectory() as store:
        add = [given.keroxio, "models", "add", given.u2netp, "--model", "u2netp", "--contract", "saliency-u2net",
               "--version", "1", "--licence", "Apache-2.0"]
        subprocess.run(add, env={**os.environ, "KEROXIO_MODELS_DIR": store}, check=True, capture_output=True)
        answers = {"ours": ours(given, "keroxio", store), "u2netp_here": ours(given, "u2netp", store)}
    again = [sys.executable, __file__, *sys.argv[1:], "--rembg"]
    answers["rembg_u2netp"] = json.loads(subprocess.run(again, check=True, capture_output=True).stdout.splitlines()[-1])
    large = answers["rembg_u2netp"]["large_ms"]
    for name, answer in answers.items():
        print(json.dumps({name: answer}), flush=True)
    print(json.dumps({
        "times_faster_than_rembg": round(answers["rembg_u2netp"]["ms_median"] / answers["ours"]["ms_median"], 2),
        "iou_mean": {name: answer["iou_mean"] for name, answer in answers.items()},
        "boundary_f": {name: answer["boundary_f"] for name, answer in answers.items()},
        "large_ms": {"ours, upload to rendition": given.whole, "rembg, mask and cut-out": large},
        "times_faster_on_large": round(large / given.whole, 2) if large and given.whole else None,
    }))


if __name__ == "__main__":
    main()
