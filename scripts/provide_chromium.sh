#!/usr/bin/env bash
# Sees to it that the browser tests have a Chromium: Debian's, by apt-get, as root or with sudo. Its version is
# Debian's: apt holds it by the signatures of the release, and no file here can name a version that stays on offer.
set -euo pipefail

for name in "${OPENBELL_CHROMIUM:-}" chromium chromium-browser google-chrome; do
  if [[ -n $name ]] && command -v "$name" >/dev/null; then exit 0; fi
done
if ! command -v apt-get >/dev/null; then
  echo "chromium: none is here, and no apt-get to install it with. Install Chromium, or name one in OPENBELL_CHROMIUM." >&2
  exit 1
fi
as_root=()
if [[ $(id -u) -ne 0 ]]; then as_root=(sudo); fi
echo "chromium: none is here, installing Debian's (about 400 MB)" >&2
log=$(mktemp)
if ! { "${as_root[@]+"${as_root[@]}"}" apt-get -qq update &&
  DEBIAN_FRONTEND=noninteractive "${as_root[@]+"${as_root[@]}"}" apt-get -qq install --yes --no-install-recommends chromium; } \
  >"$log" 2>&1; then
  echo "chromium: apt-get could not install it: $(tail -3 "$log")" >&2
  exit 1
fi
rm "$log"
