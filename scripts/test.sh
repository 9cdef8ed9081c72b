#!/bin/sh
# Everything that must hold before a change lands. The browser is found, installed, or loudly missed.
set -eu
cd "$(dirname "$0")/.."

sh scripts/browser.sh
echo "== format and lint"; .venv/bin/ruff format --check . ; .venv/bin/ruff check .
echo "== types";           .venv/bin/mypy
echo "== tests";           exec .venv/bin/python -m pytest "$@"
