#!/usr/bin/env bash
# Writes .keroxio/bin/keroxio, which runs the built program with the private servers' settings where they are up.
# Usage: launcher.sh PATH_OF_THE_PROGRAM
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$root/.keroxio/bin"
rm -f "$root/.keroxio/bin/keroxio"
printf '#!/usr/bin/env bash\nroot=%q\nprogram=%q\n' "$root" "$1" >"$root/.keroxio/bin/keroxio"
cat >>"$root/.keroxio/bin/keroxio" <<'LAUNCHER'
load() { while IFS='=' read -r name value; do [ -n "${!name:-}" ] || export "$name=$value"; done; }
load <"$root/.keroxio/env"
if bash "$root/api/dev/services.sh" status 2>/dev/null; then load < <(bash "$root/api/dev/services.sh" env); fi
exec "$program" "$@"
LAUNCHER
chmod +x "$root/.keroxio/bin/keroxio"
