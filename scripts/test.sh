#!/bin/sh
# Everything that must hold before a change lands. The browser is found, installed, or loudly missed.
set -eu
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE  # many Pythons are started: what is compiled once is kept

sh scripts/browser.sh
echo "== format and lint"; .venv/bin/ruff format --check . ; .venv/bin/ruff check .
echo "== types";           .venv/bin/mypy
if [ $# -gt 0 ]; then echo "== tests"; exec .venv/bin/python -m pytest "$@"; fi

# Much of the time is waiting for started services and browsers: the rooms that start them run beside the rest, each group in a
# process of its own. Their lines are shown at the end.
citizens="tests/conversations tests/chatpage tests/dialogue tests/channels"
staff="tests/staff tests/insights tests/desk tests/handoff tests/campaigns tests/translate tests/learn tests/content"
lines=$(mktemp -d)
trap 'rm -rf "$lines"' EXIT
ignored=""
for path in $citizens $staff; do ignored="$ignored --ignore=$path"; done
.venv/bin/python -m pytest $citizens >"$lines/citizens" 2>&1 & first=$!
.venv/bin/python -m pytest $staff >"$lines/staff" 2>&1 & second=$!
echo "== tests of the rooms that start nothing"
failed=0
.venv/bin/python -m pytest $ignored || failed=1
wait $first || failed=1
echo "== tests of what citizens meet"; cat "$lines/citizens"
wait $second || failed=1
echo "== tests of what staff meet"; cat "$lines/staff"
exit $failed
