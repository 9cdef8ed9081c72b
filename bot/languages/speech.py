"""Sound: espeak-ng speaks Vietnamese, soundfile reads and writes MP3 and Opus. A machine's voice is always marked as one."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Sound = np.ndarray[Any, np.dtype[np.float32]]

PROGRAM = "espeak-ng"
# Opus takes a few rates only; this one is enough for a voice.
RATE = 24000
WORDS_A_MINUTE = 145
SPEAK_SECONDS = 120
PAUSE_SECONDS = 2.0
# Format, coding, and a compression with which a voice stays clear and a minute of it is some 250 kB.
FORMATS = {".mp3": ("MP3", "MPEG_LAYER_III", 0.8), ".ogg": ("OGG", "OPUS", 0.9)}


class SpeechUnavailable(Exception):
    """No voice can be made here; the sentence says what to install."""


def speak(text: str, voice: str) -> Sound:
    """The text as espeak-ng says it; raises SpeechUnavailable."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise SpeechUnavailable(
            f"{PROGRAM} is not installed: apt-get install {PROGRAM} (it speaks Vietnamese, and none of the others)"
        )
    # The text comes in by the standard input, so nothing in it can be an option.
    command = [program, "-v", voice, "-s", str(WORDS_A_MINUTE), "-b", "1", "--stdin", "--stdout"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=SPEAK_SECONDS, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        raise SpeechUnavailable(f"{PROGRAM} could not speak ({type(error).__name__}); does it have the voice {voice}?") from error
    return read(done.stdout)


def version() -> str:
    """As it is noted beside a clip: `espeak-ng 1.51`."""
    program = shutil.which(PROGRAM) or PROGRAM
    try:
        told = subprocess.run([program, "--version"], capture_output=True, timeout=10, check=True).stdout.decode()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return PROGRAM
    number = next((word for word in told.split() if word[:1].isdigit()), "")
    return f"{PROGRAM} {number}".strip()


def read(content: bytes | Path) -> Sound:
    """One channel at RATE; raises SpeechUnavailable for what is no sound."""
    import numpy as np
    import soundfile
    from scipy.signal import resample_poly

    try:
        samples, rate = soundfile.read(io.BytesIO(content) if isinstance(content, bytes) else str(content), dtype="float32")
    except (soundfile.SoundFileError, OSError) as error:
        raise SpeechUnavailable("this file cannot be read as sound") from error
    mono = samples.mean(axis=1) if samples.ndim > 1 else samples
    if rate != RATE:
        common = np.gcd(rate, RATE)
        mono = resample_poly(mono, RATE // common, rate // common)
    return np.asarray(mono, dtype=np.float32)


def written(sound: Sound, suffix: str) -> bytes:
    """As `.mp3` or `.ogg` (Opus)."""
    import soundfile

    kind, coding, compression = FORMATS[suffix]
    target = io.BytesIO()
    soundfile.write(target, sound.clip(-1, 1), RATE, format=kind, subtype=coding, compression_level=compression)
    return target.getvalue()


def joined(parts: Sequence[Sound]) -> Sound:
    """One after the other, with a pause between."""
    import numpy as np

    pause = np.zeros(int(RATE * PAUSE_SECONDS), dtype=np.float32)
    return np.concatenate([piece for part in parts for piece in (part, pause)][:-1])
