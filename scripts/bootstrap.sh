#!/usr/bin/env bash
# Makes .venv from uv.lock on a machine that has only some Python 3: finds or fetches uv and Python 3.13.
# Costs nothing when .venv is up to date.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PYTHONDONTWRITEBYTECODE VIRTUAL_ENV UV_PROJECT_ENVIRONMENT

readonly stamp=.venv/.synced own_uv=.tools/bin/uv oldest_uv=0.9.8 uv_pins=scripts/tools/uv.txt
state=$(cat uv.lock pyproject.toml .python-version "$uv_pins" "$0" | cksum)
if [[ -x .venv/bin/python && -x $own_uv && -f $stamp && $(<"$stamp") == "$state" ]]; then exit 0; fi

# Every Python 3 that may be here, as real programs too: pyenv's shims obey .python-version and refuse in this folder
# when pyenv has no 3.13.
pythons() {
  type -ap python3.13 python3 || true
  printf '%s\n' "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3 "$HOME"/.pyenv/versions/3.*/bin/python3
}

# Whether a program is a Python 3.13 that really runs.
is_313() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1; }

# The environment that is there already, else the first Python 3.13 by its real path, else what uv shall download.
python_313() {
  local python
  if is_313 .venv/bin/python; then
    echo .venv/bin/python
    return
  fi
  while read -r python; do
    if is_313 "$python"; then
      "$python" -c 'import sys; print(sys.executable)'
      return
    fi
  done < <(pythons)
  echo 3.13
}

new_enough() {
  local version
  version=$("$1" --version 2>/dev/null | awk '{print $2}') && [[ -n $version ]] &&
    [[ $(printf '%s\n' "$oldest_uv" "$version" | sort -V | head -1) == "$oldest_uv" ]]
}

# Links a uv that is here into .tools, or installs one there with whichever Python can: some have no ensurepip, some
# no pip.
provide_uv() {
  local found python
  mkdir -p .tools/bin
  while read -r found; do
    if new_enough "$found"; then ln -sf "$found" "$own_uv" && return; fi
  done < <(type -ap uv; printf '%s\n' "$HOME/.local/bin/uv" "$HOME/.cargo/bin/uv")
  echo "setup: 1/3 no uv here: installing it into .tools ($(grep -o '^uv==[0-9.]*' "$uv_pins"), 50 MB)" >&2
  while read -r python; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1 || continue
    rm -rf .tools/uv
    if "$python" -m venv .tools/uv && .tools/uv/bin/python -m pip install --quiet --require-hashes -r "$uv_pins" ||
      { rm -rf .tools/uv && "$python" -m pip install --quiet --require-hashes -r "$uv_pins" --target .tools/uv; }; then
      ln -sf ../uv/bin/uv "$own_uv" && return
    fi
  done < <(pythons) >.tools/uv.log 2>&1
  echo "setup: uv is missing and no Python here could install it (.tools/uv.log says why)." >&2
  echo "setup: install it from https://docs.astral.sh/uv/ and run this again." >&2
  exit 1
}

[[ -x $own_uv ]] && new_enough "$own_uv" || provide_uv
python=$(python_313)
echo "setup: 2/3 $(grep -c '^\[\[package\]\]' uv.lock) packages are locked; those for Python $python here are downloaded and unpacked" >&2
# On a terminal uv shows each download with its size.
[[ -t 2 ]] || quiet=--quiet
"$own_uv" sync ${quiet:-} --frozen --python "$python" >&2
echo "setup: 3/3 compiling $(find .venv -name '*.py' | wc -l | tr -d ' ') modules, so that programs start fast" >&2
"$own_uv" sync --quiet --frozen --compile-bytecode --python "$python" >&2
echo "$state" >"$stamp"
echo "setup: done, .venv has $(du -sm .venv | cut -f1) MB" >&2
