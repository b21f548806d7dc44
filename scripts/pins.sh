#!/usr/bin/env bash
# Renews what scripts/tools.sh and scripts/bootstrap.sh install: NAME.txt, every package with its hashes, from NAME.in.
# Wheels only: a package that is built at installation takes whatever its build asks for that day.
#   scripts/pins.sh [NAME.in...]      default: all
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
files=("$@")
[[ $# -gt 0 ]] || files=(scripts/tools/*.in bench/peers/*.in)
for file in "${files[@]}"; do
  echo "pins: ${file%.in}.txt" >&2
  scripts/uv.sh pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.13 \
    --only-binary :all: --no-annotate --no-header "$file" --output-file "${file%.in}.txt"
done
