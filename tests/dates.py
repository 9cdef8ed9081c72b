"""The day of the tests. Shipped answers end one after the other until somebody reviews them, and then the service rightly withholds
them; tests are about the answers, not about that day."""

from __future__ import annotations

import datetime
import re

from bot.languages import catalogue
from bot.settings import ROOT

END = re.compile(r"\bvalid_until: (\d{4}-\d\d-\d\d)")


def keep_answers_valid() -> None:
    """In this process, catalogues that are not told a day see none on which one of the shipped answers is over."""
    ends = [end for file in (ROOT / "locales/vi").glob("*.yml") for end in END.findall(file.read_text(encoding="utf-8"))]
    last, really = datetime.date.fromisoformat(min(ends)), catalogue._today
    catalogue._today = lambda: min(really(), last)
