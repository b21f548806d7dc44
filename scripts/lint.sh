#!/usr/bin/env bash
# Every check that reads the project without running it; all are run, and the first failure is the exit code.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly bin=.venv/bin
failed=0

check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    echo "lint: $name ok"
  else
    failed=1
    printf 'lint: %s failed\n%s\n' "$name" "$output" >&2
  fi
}

# Every handler's module is called app: each is checked under its own package name.
check ruff "$bin/ruff" check .
check format "$bin/ruff" format --check .
check mypy "$bin/mypy" shared/openbell functions paper local lab cli console scripts tests bench
check imports env PYTHONPATH=.:shared "$bin/lint-imports" --no-logo
# Offline: that nothing but what the lock names can be installed. What is known of those packages needs pypi.org: make security.
check lock scripts/uv.sh lock --check --offline --quiet
check cfn-lint "$bin/cfn-lint" --regions us-east-1 -- template.yaml
# No package index has it as a wheel: it is used where a person has installed it.
if command -v actionlint >/dev/null; then
  check actionlint actionlint .github/workflows/*.yml
else
  echo "lint: actionlint left out, it is not on the PATH"
fi
exit $failed
