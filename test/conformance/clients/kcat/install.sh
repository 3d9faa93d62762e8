#!/usr/bin/env bash
# kcat is a package of the system.
set -euo pipefail
if command -v kcat >/dev/null; then exit 0; fi
as_root=
[ "$(id -u)" -eq 0 ] || as_root='sudo -n'
package() { $as_root apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 kcat; }
package || { $as_root apt-get update && package; }
