#!/usr/bin/env bash
# Runs the fuzz targets, each for SECONDS: fuzz/run.sh SECONDS [TARGET...]
# Grown inputs go to fuzz/corpus/TARGET (grow.sh keeps the best of them in the repository), failing ones to fuzz/artifacts, CPU time to fuzz/logs/time.tsv.
# JOBS targets run at a time (2). With SEED each run goes the same way, as a test must that decides what lands; without, each its own.
# Ends with 1 if any target found a fault.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:?usage: fuzz/run.sh SECONDS [TARGET...]}
shift
if ! command -v g++ >/dev/null; then
  root=()
  [ "$(id -u)" = 0 ] || root=(sudo)
  "${root[@]}" apt-get update -qq
  "${root[@]}" apt-get install -y -qq --no-install-recommends g++
fi
program=${FUZZ_PROGRAM:-$PWD/$(./build.sh)}
[ $# -gt 0 ] || mapfile -t all < <(sed -n 's/^    ("\([a-z]*\)", .*/\1/p' src/main.rs)
[ $# -gt 0 ] && all=("$@")
mkdir -p logs artifacts

one() { # one TARGET: in pieces of ten minutes, since an overlay is kept for the life of its process
  local target=$1 left=$seconds piece corpora status=0 TIMEFORMAT='%U %S'
  mkdir -p "corpus/$target"
  corpora=("corpus/$target" "seeds/$target")
  case $target in mail | bounce | headers | intake) corpora+=(../testdata/bounces) ;; esac
  while [ "$left" -gt 0 ] && [ "$status" = 0 ]; do
    piece=$((left > 600 ? 600 : left))
    left=$((left - piece))
    { time FUZZ_TARGET=$target "$program" -max_total_time="$piece" -timeout=10 -rss_limit_mb=3072 -max_len=16384 -reload=0 -seed="${SEED:-0}" \
      -print_final_stats=1 -artifact_prefix="artifacts/$target-" "${corpora[@]}" >"logs/$target.log" 2>&1; } 2>"logs/$target.time" || status=$?
    local ran user system
    ran=$(sed -n 's/^stat::number_of_executed_units: *//p' "logs/$target.log" | tail -1)
    read -r user system <"logs/$target.time" || true
    printf '%s\t%s\t%s\t%s\t%s\n' "$target" "$user" "$system" "${ran:-0}" "$status" >>logs/time.tsv
    echo "$target: ${ran:-0} runs, $user s of CPU, $(ls "corpus/$target" | wc -l) grown inputs$([ "$status" = 0 ] || echo ', FAILED')"
  done
  [ "$status" = 0 ] || { tail -40 "logs/$target.log" >&2; return 1; }
}
export -f one
export seconds program
printf '%s\n' "${all[@]}" | xargs -P "${JOBS:-2}" -I{} bash -euc 'one {}'
