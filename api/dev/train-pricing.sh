#!/usr/bin/env bash
# Trains the price model on the operator's own advertisements: MODEL_DIR ADS.csv, or MODEL_DIR --rollback.
set -euo pipefail
cd "$(dirname "$0")/../.."
model=$(realpath "$1") what=$2
[ "$what" = --rollback ] || what=$(realpath "$what")
venv=$PWD/.keroxio/train-pricing
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
echo "==> Python packages for training (in $venv)"
"$venv/bin/pip" install -q -r plugins/pricing-ort/training/requirements.txt
cd plugins/pricing-ort/training
OMP_NUM_THREADS=1 "$venv/bin/python" retrain.py "$what" --model "$model" ${FEWER_MAKES:+--fewer-makes}
