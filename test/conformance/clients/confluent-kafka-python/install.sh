#!/usr/bin/env bash
set -euo pipefail
[ -x build/venv/bin/pip ] || python3 -m venv --clear build/venv
build/venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
