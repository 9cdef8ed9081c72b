#!/bin/sh
# Brings uv (into .tools), Python 3.11 and the locked libraries. Does nothing when all of them are there.
set -eu
cd "$(dirname "$0")/.."

stamp=.venv/.loa-locked
wanted=$( (pwd; cat requirements.lock pyproject.toml scripts/setup.sh) | cksum)
if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
  exit 0
fi

# Networks of public offices often inspect TLS with a certificate of their own: trust what the system trusts.
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}" UV_NATIVE_TLS="${UV_NATIVE_TLS:-true}"

stop() {
  echo "loa: $1" >&2
  exit 1
}

if ! (: > .writable) 2>/dev/null; then
  stop "this folder cannot be written: $(pwd). Clone it where you may write."
fi
rm -f .writable

find_uv() {
  if command -v uv >/dev/null 2>&1; then command -v uv; return; fi
  if [ -x .tools/bin/uv ]; then echo .tools/bin/uv; return; fi
  return 1
}

if ! uv=$(find_uv); then
  echo "setup | getting uv into .tools"
  for python in python3.11 python3.13 python3.12 python3.10 python3.9 python3; do
    command -v "$python" >/dev/null 2>&1 || continue
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || continue
    rm -rf .tools
    if "$python" -m venv .tools >/dev/null 2>&1 && .tools/bin/python -m pip install --quiet --disable-pip-version-check uv; then
      break
    fi
    rm -rf .tools
  done
  [ -x .tools/bin/uv ] || stop "neither uv nor a Python >= 3.9 with venv was found (or uv could not be downloaded). Install one of them, for example: apt install python3-venv"
  uv=.tools/bin/uv
fi

echo "setup | Python 3.11 and the locked libraries into .venv (about 2 GB, once)"
[ -x .venv/bin/python ] || "$uv" venv --quiet --python 3.11 .venv || stop "Python 3.11 could not be had. Install it, or let uv download it."
"$uv" pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock || stop "the libraries could not be installed; the lines above say why."
# Rasa's thousands of files are compiled once, now, also where the environment forbids Python to keep what it compiles: it is three
# times slower to start without.
unset PYTHONDONTWRITEBYTECODE
echo "setup | compiling what is imported"
MPLBACKEND=agg .venv/bin/python -W ignore -c "import rasa.__main__, rasa.core.agent, rasa.core.run, rasa.engine.recipes.default_recipe, rasa.model_training" >/dev/null 2>&1 &
.venv/bin/python -W ignore -c "import bot.serving, bot.cli, rasa_sdk.__main__, rasa_sdk.endpoint" >/dev/null 2>&1 || true
wait
pwd > "$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/loa.pth"
printf '#!/bin/sh\nexec "%s/.venv/bin/python" -m bot.cli "$@"\n' "$(pwd)" > .venv/bin/loa
chmod +x .venv/bin/loa
printf '%s' "$wanted" > "$stamp"
