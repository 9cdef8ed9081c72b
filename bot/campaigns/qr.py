"""QR codes. Pure: the same address gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any, Literal

# The white frame that readers need around a code (ISO/IEC 18004).
QUIET_MODULES = 4
# A sticker that is scratched or wet is still read.
ERROR_LEVEL: Literal["q"] = "q"


def qr_svg(url: str) -> bytes:
    out = io.BytesIO()
    qr_code(url).save(out, kind="svg", scale=8, border=QUIET_MODULES, dark="#000", light="#fff", xmldecl=True)
    return out.getvalue()


def qr_png(url: str) -> bytes:
    """At least 1,000 pixels wide, whole pixels a module."""
    code = qr_code(url)
    scale = -(-1000 // code.symbol_size(scale=1, border=QUIET_MODULES)[0])
    out = io.BytesIO()
    code.save(out, kind="png", scale=scale, border=QUIET_MODULES, dark="#000", light="#fff")
    return out.getvalue()


def qr_code(url: str) -> Any:
    import segno  # here: a start needs no QR codes

    return segno.make(url, error=ERROR_LEVEL, micro=False)


def runs(cells: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(first, end) of each run of dark modules."""
    start: int | None = None
    for column, cell in enumerate([*cells, 0]):
        if cell and start is None:
            start = column
        elif not cell and start is not None:
            yield start, column
            start = None
