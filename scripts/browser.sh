#!/bin/sh
# A headless Chromium for the browser tests: the system's, else Debian's package when root, else Playwright's own download.
set -u
cd "$(dirname "$0")/.."

found() {
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null 2>&1 && return 0
  done
  [ -n "${LOA_CHROMIUM:-}" ] && return 0
  .venv/bin/python -c 'import pathlib, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as p: sys.exit(not pathlib.Path(p.chromium.executable_path).exists())' 2>/dev/null
}

found && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "== no Chromium here: installing Debian's package"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-core; } >/dev/null 2>&1
  found && exit 0
fi
echo "== no Chromium here: trying Playwright's own download"
timeout 240 .venv/bin/python -m playwright install chromium >/dev/null 2>&1
found && exit 0
echo "!! NO CHROMIUM COULD BE HAD: the browser tests will be skipped. Install chromium, or set LOA_CHROMIUM to its path. !!" >&2
exit 0
