#!/usr/bin/env bash
# Keeps in the repository what fuzzing found worth keeping: of the grown inputs (corpus/TARGET) the fewest that reach code which
# the seeds do not, beside the seeds and named by their hash: fuzz/grow.sh [TARGET...]
set -euo pipefail
cd "$(dirname "$0")"
program=${FUZZ_PROGRAM:-$PWD/$(./build.sh)}
[ $# -gt 0 ] && all=("$@") || mapfile -t all < <(ls corpus)
for target in "${all[@]}"; do
  mkdir -p "seeds/$target"
  before=$(ls "seeds/$target" | wc -l)
  # Edges alone, without how often each was taken: a tenth of the files.
  FUZZ_TARGET=$target "$program" -set_cover_merge=1 -use_counters=0 -max_len=2048 "seeds/$target" "corpus/$target" 2>/dev/null
  echo "$target: $(($(ls "seeds/$target" | wc -l) - before)) inputs added to $before"
done
