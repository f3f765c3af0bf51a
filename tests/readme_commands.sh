#!/usr/bin/env bash
# Runs every command of the README's "sh run" blocks and fails if one does not end as the README says.
# usage: readme_commands.sh BINARY
set -euo pipefail
bin=$(realpath "$1")
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
printf '#!/bin/sh\nexec "%s" "$@"\n' "$bin" >"$folder/redeliver"
chmod +x "$folder/redeliver"
PATH=$folder:$PATH
count=0
while IFS= read -r command; do
  code=0
  bash -c "$command" >"$folder/out" 2>"$folder/err" || code=$?
  if [ $code -ne 0 ] || [ ! -s "$folder/out" ]; then
    echo "FAILED ($code): $command" >&2
    cat "$folder/err" >&2
    exit 1
  fi
  count=$((count + 1))
done < <(awk '/^```sh run$/ { on = 1; next } /^```/ { on = 0 } on && NF && !/^#/' README.md)
[ "$count" -ge 5 ] || { echo "found only $count commands in the README" >&2; exit 1; }
echo "$count commands of the README run"
