#!/usr/bin/env bash
# Keeps in the repository what fuzzing found worth keeping: of the grown inputs (corpus/TARGET) the fewest that reach code which
# the seeds do not, beside the seeds and named by their hash: fuzz/grow.sh [TARGET...]
set -euo pipefail
cd "$(dirname "$0")"
most=300 # new inputs of a target: each name of a public suffix is code of its own to libFuzzer
program=${FUZZ_PROGRAM:-$PWD/$(./build.sh)}
[ $# -gt 0 ] && all=("$@") || mapfile -t all < <(ls corpus)
mkdir -p logs
for target in "${all[@]}"; do
  mkdir -p "seeds/$target"
  before=$(ls "seeds/$target" | wc -l)
  touch "logs/$target.grown"
  # Edges alone, without how often each was taken: a tenth of the files.
  FUZZ_TARGET=$target "$program" -set_cover_merge=1 -use_counters=0 -max_len=2048 "seeds/$target" "corpus/$target" 2>/dev/null
  # Of too many the smallest stay.
  find "seeds/$target" -newer "logs/$target.grown" -type f -printf '%s %p\n' | sort -n | tail -n +$((most + 1)) | cut -d' ' -f2- | xargs -r rm --
  echo "$target: $(($(ls "seeds/$target" | wc -l) - before)) inputs added to $before"
done
