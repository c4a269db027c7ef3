#!/usr/bin/env bash
# CPU seconds and peak memory of plans of N jobs and schemas, everything applied before.
#
#   benches/plan.sh [N] [BINARY]
#
# Validating and applying happen with the embedded workspace in the same process, whose own work and objects are in the figures.
# The plans talk to it in a process of its own: `--refresh=false` is the plan alone, with nothing to read; the other reads everything.
set -euo pipefail
count=${1:-10000}
top=$(cd "$(dirname "$0")/.." && pwd)
binary=$(realpath "${2:-$top/target/release/brickform}")
[ -x "$binary" ] || { echo "build it first: cargo build --release" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

measure() { # measure LABEL COMMAND...
    local label=$1
    shift
    python3 - "$label" "$@" <<'PY'
import resource, subprocess, sys, time
label, command = sys.argv[1], sys.argv[2:]
begun = time.monotonic()
done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
wall = time.monotonic() - begun
used = resource.getrusage(resource.RUSAGE_CHILDREN)
if done.returncode not in (0,):
    sys.exit(f"{label}: exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
print(f"{label:34} {used.ru_utime + used.ru_stime:7.2f} s CPU  {wall:7.2f} s wall  {used.ru_maxrss / 1024:7.0f} MB peak   {done.stdout.strip().splitlines()[-1]}")
PY
}

python3 "$top/benches/generate.py" "$folder" --resources "$count"
cd "$folder"
measure "validate" "$binary" validate --env local
measure "apply, everything to create" "$binary" apply --env local --yes --quiet
"$binary" local serve --env local --port 0 -o json >serving.json &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
for _ in $(seq 200); do [ -s serving.json ] && break; sleep 0.1; done
measure "plan, nothing read" "$binary" plan --env local --refresh=false
measure "plan, everything read" "$binary" plan --env local
