#!/usr/bin/env bash
# Builds the fuzz targets with libFuzzer's instrumentation on the stable toolchain, and prints the place of the program.
# The same flags as cargo-fuzz sets, without a sanitizer (that needs the nightly toolchain; the code has no unsafe).
set -euo pipefail
cd "$(dirname "$0")"
host=$(rustc -vV | sed -n 's/^host: //p')
# The versions are those of the workspace; cargo adds what only the targets need.
[ -f Cargo.lock ] || cp ../Cargo.lock Cargo.lock
export CARGO_TARGET_DIR=$PWD/target
# With --target the flags reach neither build scripts nor macros.
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares" \
  cargo build --release --target "$host" "$@" >&2
echo "target/$host/release/redeliver-fuzz"
