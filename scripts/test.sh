#!/bin/sh
# Everything that must hold before a change lands. The browser is found, installed, or loudly missed.
set -eu
cd "$(dirname "$0")/.."

sh scripts/browser.sh
echo "== format and lint"; .venv/bin/ruff format --check . ; .venv/bin/ruff check .
echo "== types";           .venv/bin/mypy
if [ $# -gt 0 ]; then echo "== tests"; exec .venv/bin/python -m pytest "$@"; fi

# Half of the time is waiting for started services: they run beside the rest, in a process of their own.
# Its lines are shown at its end.
services="tests/conversations tests/chatpage tests/dialogue tests/insights tests/staff"
others=""
for path in $services; do others="$others --ignore=$path"; done
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
.venv/bin/python -m pytest $services >"$lines" 2>&1 & beside=$!
echo "== tests, without those of the started service"
.venv/bin/python -m pytest $others && rest=0 || rest=$?
wait $beside && started=0 || started=$?
echo "== tests of the started service"; cat "$lines"
[ $rest -eq 0 ] && [ $started -eq 0 ]
