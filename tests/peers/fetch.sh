#!/usr/bin/env bash
# Unpacks Debian's Postfix, Exim and OpenSMTPD, each into a folder of its own: PREFIX/postfix, PREFIX/exim, PREFIX/opensmtpd.
#   tests/peers/fetch.sh PREFIX [CACHE]      CACHE keeps the .deb files (default: PREFIX/cache)
# The packages exclude each other, so nothing is ever installed: no maintainer script runs, no file outside the two folders
# changes. Needs apt-get, apt-cache and dpkg-deb, not root. A second run does nothing. Fails loudly when a package is missing.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: $0 PREFIX [CACHE]" >&2; exit 2; }
mkdir -p "$1" "${2:-$1/cache}"
prefix=$(cd "$1" && pwd)
cache=$(cd "${2:-$1/cache}" && pwd)

# The mail server's own packages, then whatever libraries they need that this machine has not got.
packages_of() {
  case $1 in
    postfix) echo postfix libsasl2-modules ;;
    exim) echo exim4-daemon-light exim4-base ;;
    opensmtpd) echo opensmtpd ;;
  esac
}

libraries_of() { # the lib* packages that PACKAGE... need, as far as they are not installed here
  local direct
  direct=$(apt-cache depends "$@" | sed -n 's/^ *Depends: \(lib[^:<>]*\)$/\1/p' | sort -u)
  # Only libraries are followed further: debconf and the like are for maintainer scripts, which never run.
  # shellcheck disable=SC2086
  apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances $direct |
    sed -n 's/^\(lib[^:<> ]*\)$/\1/p' | sort -u | while read -r library; do
    dpkg-query -W -f '${Status}' "$library" 2>/dev/null | grep -q '^install ok installed' || echo "$library"
  done
}

download() { # download PACKAGE: prints the path of its .deb in the cache
  local found
  found=$(find "$cache" -maxdepth 1 -name "$1_*.deb" | sort | tail -n 1)
  if [ -z "$found" ]; then
    # Run inside the cache, since apt-get download writes to the current folder.
    (cd "$cache" && apt-get -o APT::Sandbox::User=root download -qq "$1" >&2)
    found=$(find "$cache" -maxdepth 1 -name "$1_*.deb" | sort | tail -n 1)
  fi
  echo "$found"
}

for server in postfix exim opensmtpd; do
  root=$prefix/$server
  [ -e "$root/.complete" ] && { echo "$server: already in $root"; continue; }
  rm -rf "$root"
  mkdir -p "$root"
  # shellcheck disable=SC2046  # word splitting is wanted: one name a word
  for package in $(packages_of $server) $(libraries_of $(packages_of $server)); do
    if deb=$(download "$package") && [ -n "$deb" ]; then
      dpkg-deb -x "$deb" "$root"
    else
      # A library that is only virtual or belongs to an alternative may be missing; the server itself may not.
      case " $(packages_of $server) " in *" $package "*) echo "cannot fetch $package" >&2; exit 1 ;; esac
      echo "note: no package $package, left out" >&2
    fi
  done
  touch "$root/.complete"
  echo "$server: unpacked into $root"
done
