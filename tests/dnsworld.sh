#!/usr/bin/env bash
# The offline DNS world of ../shared/dnsworld for a command: tests/dnsworld.sh COMMAND [ARGUMENT ...]
# Installs what is missing, starts the world, runs the command, and stops what it started, by process id.
# A world that is up already is used and left alone. Without ../shared it says so loudly and runs nothing.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
shared=${REDELIVER_SHARED:-$root/../shared}
world=$shared/dnsworld
if [ ! -x "$world/start.sh" ]; then
  echo "SKIPPED: $world is not there, so NOTHING was tried in the DNS world: $*" >&2
  exit 0
fi

need() { # need COMMAND PACKAGE
  command -v "$1" >/dev/null && return
  echo "installing $2 for $1" >&2
  local sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" apt-get install -y -qq --no-install-recommends "$2"
}
PATH=$PATH:/usr/sbin
need knotd knot
need unbound unbound
need rbldnsd rbldnsd
need dig dnsutils
need openssl openssl

up() { dig +short +time=1 +tries=1 @127.53.0.1 good.test MX 2>/dev/null | grep -q mx1; }
if up; then
  exec "$@"
fi
if [ "$(id -u)" != 0 ]; then
  echo "SKIPPED: the DNS world needs port 53, and this is not root, so NOTHING was tried in it: $*" >&2
  exit 0
fi
run=$(mktemp -d)
stop() {
  for name in unbound knot rbldnsd; do
    if [ -f "$run/$name.pid" ]; then
      kill "$(cat "$run/$name.pid")" 2>/dev/null || true
    fi
  done
  sleep 0.2
  rm -rf "$run"
}
trap stop EXIT
RUN=$run "$world/start.sh" start >/dev/null
up || { echo "the DNS world did not come up; see $run" >&2; trap - EXIT; exit 1; }
"$@"
