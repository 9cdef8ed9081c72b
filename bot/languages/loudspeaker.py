"""A script for a commune's loudspeakers, made from an answer: read twice, with source and date, Vietnamese numbers in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.directory.documents import spoken_date
from bot.directory.languages import VIETNAMESE
from bot.languages.catalogue import PROVINCE_NAMES, Catalogue
from bot.languages.numbers_in_words import NumberWords
from bot.languages.po import placeholders

# What the directory gives. An answer with any other placeholder says something only to the one who asked.
FILLED = frozenset({"hotline", "province", "languages"})


class ScriptRefused(Exception):
    """There is nothing that may be read aloud; the sentence says why."""


def is_complete(catalogue: Catalogue, key: str) -> bool:
    """Whether the answer says the same to everybody of the province."""
    return {name for name, _, _ in placeholders(catalogue.entries[key].text) or ()} <= FILLED


def script(catalogue: Catalogue, key: str, tag: str, words: Mapping[str, Any], numbers: NumberWords) -> str:
    """The whole script as text; raises ScriptRefused. `words`: locales/vi/interface/loudspeaker.yml."""
    text = checked(catalogue, key, tag)
    language, is_vietnamese = catalogue.languages[tag].name, tag == VIETNAMESE
    source = catalogue.answer(key).source
    line = catalogue.source_line(source.as_dict(), tag) if source else ""
    # A source without a translation is read in Vietnamese.
    is_line_vietnamese = bool(source) and line == catalogue.source_line(source.as_dict())  # type: ignore[union-attr]
    aloud = _capitalised(numbers.spelled_out(text)) if is_vietnamese else text
    told = numbers.spelled_out(line) if is_line_vietnamese else line
    about = {
        "province": PROVINCE_NAMES[catalogue.province],
        "language": language,
        "day": spoken_date(catalogue.today().isoformat()),
    }
    parts = [words["title"].format(title=_title(catalogue, key)), words["about"].format(**about)]
    if catalogue.is_heard_as_draft(key, tag):
        parts.append(words["draft"].format(language=language))
    if not is_vietnamese:
        parts.append(words["digits_kept"].format(language=language))
        if said := numbers.numbers_of("\n".join(filter(None, [text, told]))):
            listed = "\n".join(f"- {number}: {aloud}" for number, aloud in said.items())
            parts.append(f"{words['in_vietnamese'].format(language=language)}:\n{listed}")
    parts.append(f"{words['source']}: {line}" if line else words["no_source"])
    for number in words["numbers"]:
        parts.append(f"--- {words['reading'].format(number=number)} ---")
        parts += [aloud, told] if told else [aloud]
    parts.append(f"--- {words['end']} ---")
    if not is_vietnamese:
        parts += [f"{words['original']}:", catalogue.answer(key).text]
    return "\n\n".join(parts) + "\n"


def checked(catalogue: Catalogue, key: str, tag: str) -> str:
    """The words that may be read aloud; raises ScriptRefused."""
    if tag not in catalogue.languages:
        raise ScriptRefused(f"{tag} is no language of data/directory/languages.yml")
    if key not in catalogue.entries:
        raise ScriptRefused(f"{key}: there is no such answer")
    if not is_complete(catalogue, key):
        raise ScriptRefused(f"{key} is another text for everybody who asks (places, figures, persons) and cannot be read to all")
    text = catalogue.heard(key, tag)
    if text is not None:
        return text
    if catalogue.in_force.is_withdrawn(key):
        raise ScriptRefused(f"{key}: staff have taken this answer back (loa content list)")
    if catalogue.is_withdrawn(key):
        raise ScriptRefused(f"{key} is withdrawn: its day is over")
    raise ScriptRefused(f"{key} in {tag}: {_why_not(catalogue, key, tag)}")


def _title(catalogue: Catalogue, key: str) -> str:
    """Of the intent whose answer it is: `utter_hotline_static` is of `hotline`."""
    name = key.removeprefix("utter_")
    whose = max(
        (intent for intent in catalogue.intents if name == intent or name.startswith(f"{intent}_")), key=len, default=name
    )
    return catalogue.title(whose)


def _capitalised(text: str) -> str:
    """`5K …` at the beginning of a line has become `năm ca …`."""
    return re.sub(r"(?m)^\w", lambda found: found[0].upper(), text)


def _why_not(catalogue: Catalogue, key: str, tag: str) -> str:
    if catalogue.in_force.is_translation_withdrawn(key, tag):
        return "staff have taken this translation back (loa content list)"
    if catalogue.spoken[tag].of(key, catalogue.entries[key].text) is None:
        return "no translation"
    if catalogue.drafts == "hide":
        return "not approved yet, and LOA_DRAFTS=hide"
    return "a mistake could hurt, so only an approved translation is read aloud"
