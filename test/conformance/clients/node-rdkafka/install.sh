#!/usr/bin/env bash
# It compiles librdkafka. Not optimizing halves that, and its users here are short stories.
set -euo pipefail
CFLAGS='-O0 -g0' CXXFLAGS='-O0 -g0' npm ci --no-audit --no-fund
