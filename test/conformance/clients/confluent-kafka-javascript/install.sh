#!/usr/bin/env bash
# Its binaries lie on GitHub. Where they cannot be had it compiles librdkafka, here with the libraries of this machine.
set -euo pipefail
missing=()
for package in libzstd-dev libsasl2-dev libcurl4-openssl-dev libssl-dev zlib1g-dev; do
  dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
as_root=
[ "$(id -u)" -eq 0 ] || as_root='sudo -n'
install() { $as_root apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "${missing[@]}"; }
[ "${#missing[@]}" -eq 0 ] || install || { $as_root apt-get update && install; }
# Not optimizing halves the time, and its users here are short stories.
CKJS_LINKING=dynamic CFLAGS='-O0 -g0' CXXFLAGS='-O0 -g0' npm ci --no-audit --no-fund
