#!/usr/bin/env bash
# Our plate reader beside PP-OCRv4 detection + CCT-XS in Python, on the same photos and ONNX Runtime.
# DATA: a folder with labels.csv; CCT: cct_xs_v1_global.onnx of fast-plate-ocr (MIT), which no registry carries.
set -euo pipefail
cd "$(dirname "$0")/../.."
shared=../shared/vision
data=${DATA:-$shared/plates}
cct=${CCT:-$shared/weights/cct-xs-v1-plate-ocr/cct_xs_v1_global.onnx}
for path in "$data/labels.csv" "$cct"; do
    [ -e "$path" ] || { echo "SKIP: beside PP-OCR and CCT: $path is missing, set DATA and CCT" >&2; exit 0; }
done
venv=.keroxio/bench-plates
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install -q -r plugins/plates-ort/benches/requirements.txt
"$venv/bin/python" plugins/plates-ort/benches/beside.py --keroxio .keroxio/bin/keroxio --store .keroxio/models \
    --cct "$cct" --data "$data" --rounds "${ROUNDS:-3}"
