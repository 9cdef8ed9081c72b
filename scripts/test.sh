#!/bin/sh
# Everything that must hold before a change lands. The browser is found, installed, or loudly missed.
set -eu
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE  # many Pythons are started: what is compiled once is kept

sh scripts/browser.sh
echo "== format and lint"; .venv/bin/ruff format --check . ; .venv/bin/ruff check .
echo "== types";           .venv/bin/mypy
if [ $# -gt 0 ]; then echo "== tests"; exec .venv/bin/python -m pytest "$@"; fi

# Much of the time is waiting for started services and browsers: three groups of rooms, about as long each, run side by side, each in a
# process of its own. Their lines are shown at the end.
first="tests/conversations tests/chatpage tests/channels tests/campaigns"
second="tests/dialogue tests/desk tests/handoff tests/staff tests/content tests/learn tests/translate tests/subscriptions tests/privacy"
lines=$(mktemp -d)
trap 'rm -rf "$lines"' EXIT
ignored=""
for path in $first $second; do ignored="$ignored --ignore=$path"; done
.venv/bin/python -m pytest $first >"$lines/first" 2>&1 & first_is=$!
.venv/bin/python -m pytest $second >"$lines/second" 2>&1 & second_is=$!
echo "== tests, all other rooms"
failed=0
.venv/bin/python -m pytest $ignored || failed=1
wait $first_is || failed=1
echo "== $first"; cat "$lines/first"
wait $second_is || failed=1
echo "== $second"; cat "$lines/second"
exit $failed
