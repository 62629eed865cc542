#!/usr/bin/env bash
# Puts Prometheus' own checker where the tests of the alert rules look for it: out of the Debian package, which is unpacked and not installed,
# so that no service starts. Needs no root, unless the package lists must be fetched first. Does nothing when there is a promtool already.
set -euo pipefail
target="${XDG_CACHE_HOME:-$HOME/.cache}/weir-tools/promtool"
if command -v promtool > /dev/null || [ -x "$target" ]; then exit 0; fi
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
apt-get download -qq prometheus 2> /dev/null || { apt-get update -qq && apt-get download -qq prometheus; }
dpkg-deb -x prometheus_*.deb .
install -D usr/bin/promtool "$target"
echo "promtool is at $target"
