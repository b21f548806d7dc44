#!/usr/bin/env bash
# Gives programs that are no part of the project (SAM, checkov, what measurements compare with ...) an environment
# each, .tools/NAME, with exactly what scripts/tools/NAME.txt or bench/peers/NAME.txt names, held by its hashes.
# Costs nothing when they are there. `make pins` renews the files.
#   scripts/tools.sh NAME...
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
failed=0

install() {
  local home=$1 pins=$2
  scripts/uv.sh venv --quiet --clear --python .venv/bin/python "$home" &&
    scripts/uv.sh pip install --python "$home/bin/python" --requirements "$pins"
}

for name in "$@"; do
  home=.tools/$name
  pins=scripts/tools/$name.txt
  [[ -f $pins ]] || pins=bench/peers/$name.txt
  cmp -s "$pins" "$home/.pins" && continue
  echo "tools: installing $name into $home ($(grep -c == "$pins") packages)" >&2
  if install "$home" "$pins" >"$home.log" 2>&1; then
    cp "$pins" "$home/.pins"
    rm "$home.log"
  else
    rm -rf "$home"
    echo "tools: $name is not installable: $(tail -1 "$home.log") ($home.log says more)" >&2
    failed=1
  fi
done
exit $failed
