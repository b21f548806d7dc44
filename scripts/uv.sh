#!/usr/bin/env bash
# uv as this project calls it, everywhere: what is installed is what a committed file names by version and hash.
# The machine's variables may say where packages are fetched from and how, not which: overrides, constraints and the
# like are dropped.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

for name in $(compgen -e); do
  case $name in
    UV_CACHE_DIR | UV_*INDEX* | UV_FIND_LINKS | UV_OFFLINE | UV_*TIMEOUT | UV_HTTP_* | UV_*TLS* | UV_*CERTS* | UV_*_PROXY) ;;
    UV_INSECURE_HOST | UV_KEYRING* | UV_CONCURRENT_* | UV_PYTHON_*MIRROR | UV_PYTHON_INSTALL_DIR | UV_NO_PROGRESS) ;;
    UV_* | VIRTUAL_ENV | PYTHONDONTWRITEBYTECODE) unset "$name" ;;
    *) ;;
  esac
done
case "${1-} ${2-}" in
  "pip install")
    # Without configuration: the overrides in pyproject.toml, or a person's own, would replace pins by ranges. An index
    # that has other versions of a package does not hide the pinned one: any file with the right hash is the right one.
    export UV_NO_CONFIG=1 UV_REQUIRE_HASHES=1 UV_INDEX_STRATEGY=unsafe-best-match
    set -- "$@" --no-deps --only-binary :all: --quiet
    ;;
  sync\ *) set -- "$@" --no-build ;; # but for the project itself, whose build is locked too
  "pip compile") export UV_NO_CONFIG=1 ;; # tools have nothing to do with the project's overrides
  *) ;;
esac
exec "$root/.tools/bin/uv" "$@"
