#!/usr/bin/env bash
# What a photo of 12 megapixels costs from upload to rendition, step by step; then our cut-out beside rembg's.
# DATA: a folder with labels.csv; U2NETP: a u2netp ONNX file (Apache-2.0), which no registry carries.
set -euo pipefail
cd "$(dirname "$0")/../.."
shared=../shared/vision
data=${DATA:-$shared/masks}
u2netp=${U2NETP:-$shared/weights/u2netp/u2netp_fp32.onnx}
large=$PWD/.keroxio/bench-large.jpg
# One thread each; ours leaves the second core to whoever asks whether the photo is done.
ours=$(LARGE=$large cargo bench --locked --profile dev --workspace --bench rendition | tail -1)
echo "$ours"
for path in "$data/labels.csv" "$u2netp"; do
    [ -e "$path" ] || { echo "SKIP: beside rembg: $path is missing, set DATA and U2NETP" >&2; exit 0; }
done
venv=.keroxio/bench-images
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install -q -r plugins/images-ort/benches/requirements.txt
whole=$(python3 -c 'import json, sys; print(json.loads(sys.argv[1])["upload_to_rendition_ms"])' "$ours")
taskset -c 0 "$venv/bin/python" plugins/images-ort/benches/beside.py --keroxio .keroxio/bin/keroxio --u2netp "$u2netp" \
    --data "$data" --large "$large" --whole "$whole"
