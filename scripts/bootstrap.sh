#!/usr/bin/env bash
# Makes .venv from uv.lock on a machine that has only some Python 3: finds or fetches uv and Python 3.13.
# Costs nothing when .venv is up to date. Runs under bash 3.2 and BSD tools, as macOS has them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PYTHONDONTWRITEBYTECODE VIRTUAL_ENV

readonly stamp=.venv/.synced own_uv=.tools/bin/uv uv_lock=scripts/tools/uv.txt
state=$(cat uv.lock pyproject.toml .python-version "$uv_lock" "$0" | cksum)
if [[ -x .venv/bin/python && -x $own_uv && -f $stamp && $(<"$stamp") == "$state" ]]; then exit 0; fi

say() { echo "setup: $*" >&2; }

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

# Of another version uv might read the lock differently, so it has to be the locked one.
is_locked_uv() { grep -q "^uv==$("$1" --version 2>/dev/null | awk '{print $2}') " "$uv_lock"; }

# Links the locked uv if it is here, or installs it into .tools with whichever Python can: some have no ensurepip, some
# no pip.
provide_uv() {
  local found python wanted=(--quiet --require-hashes --only-binary :all: -r "$uv_lock")
  mkdir -p .tools/bin
  while read -r found; do
    if is_locked_uv "$found"; then ln -sf "$found" "$own_uv" && return; fi
  done < <(type -ap uv || true; printf '%s\n' "$HOME/.local/bin/uv" "$HOME/.cargo/bin/uv")
  say "1/3 fetching $(awk '/^uv==/ {print $1}' "$uv_lock"), about 25 MB, into .tools"
  while read -r python; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1 || continue
    rm -rf .tools/uv
    if "$python" -m venv .tools/uv && .tools/uv/bin/python -m pip install "${wanted[@]}" ||
      { rm -rf .tools/uv && "$python" -m pip install --target .tools/uv "${wanted[@]}"; }; then
      ln -sf ../uv/bin/uv "$own_uv" && return
    fi
  done < <(pythons) >.tools/uv.log 2>&1
  say "uv is missing and no Python here could install it (.tools/uv.log says why)."
  say "Install $(awk '/^uv==/ {print $1}' "$uv_lock") from https://docs.astral.sh/uv/ and run this again."
  exit 1
}

# uv's report, shortened: each large package as it comes, how many are still to come, then what is done. What it says
# besides, a warning or an error, is passed on.
progress() {
  local line expected=0 fetched=0
  while IFS= read -r line; do
    case $line in
      *Downloading\ *) expected=$((expected + 1)) ;;
      *Downloaded\ *) fetched=$((fetched + 1)) && say "    $fetched of $expected large packages fetched: ${line##* }" ;;
      *Prepared\ *without\ build* | *Building\ * | *Built\ *) ;;
      *Prepared\ *) say "3/3 installing ${line#*Prepared }" ;;
      ' + '* | ' - '* | ' ~ '*) ;;
      *) say "    $line" ;;
    esac
  done
}

is_locked_uv "$own_uv" || provide_uv
python=$(python_313)
say "2/3 fetching the $(grep -c '^\[\[package\]\]' uv.lock) packages that uv.lock names, 300 MB less what uv's cache has"
# Without byte code: compiling 12,000 modules takes a minute, and Python compiles those that are used when they are.
scripts/uv.sh sync --frozen --python "$python" 2>&1 | progress
say "done"
echo "$state" >"$stamp"
