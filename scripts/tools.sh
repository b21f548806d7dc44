#!/usr/bin/env bash
# Gives programs that are no part of the project (SAM, checkov, what measurements compare with ...) an environment
# each, .tools/NAME, with exactly what scripts/tools/NAME.txt or bench/peers/NAME.txt names, held by its hashes.
# Costs nothing when they are there. `make pins` renews the files.
#   scripts/tools.sh NAME...
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PYTHONDONTWRITEBYTECODE VIRTUAL_ENV
export UV_NO_CONFIG=1 # the project's exclusions and overrides are none of theirs
readonly uv=.tools/bin/uv
failed=0

# With the project's Python, else with any that uv finds or fetches.
install() {
  local home=$1 pins=$2 python
  for python in .venv/bin/python 3.13 3.12 3.11; do
    "$uv" venv --quiet --clear --python "$python" "$home" &&
      "$uv" pip install --quiet --no-deps --require-hashes --compile-bytecode --python "$home/bin/python" \
        --requirements "$pins" && return
  done
  return 1
}

for name in "$@"; do
  home=.tools/$name
  pins=scripts/tools/$name.txt
  [[ -f $pins ]] || pins=bench/peers/$name.txt
  cmp --silent "$pins" "$home/.pins" && continue
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
