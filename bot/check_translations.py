"""What of the translations must not be released, what is withheld and why: a line or two a language for `loa check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.directory.languages import VIETNAMESE, Language
from bot.findings import Finding
from bot.languages import po
from bot.languages.catalogue import Catalogue
from bot.languages.po import Translation, TranslationsError
from bot.languages.translation import sources, state_beside
from bot.languages.translation_lint import Severity, faults

SHOWN = 3


def translation_findings(catalogue: Catalogue, root: Path) -> list[Finding]:
    """Of every language with a file. What is not translated yet is no finding; `loa locale status` counts it."""
    return [finding for language in catalogue.languages.translated() for finding in _of_language(catalogue, language, root)]


def _of_language(catalogue: Catalogue, language: Language, root: Path) -> Iterator[Finding]:
    key = f"locales/{language.tag}"
    try:
        known = po.read(root / po.FILE.format(tag=language.tag))
    except TranslationsError as error:
        yield Finding("error", key, f"Vietnamese is answered instead: {error}")
        return
    if wrong := _contexts(catalogue, language, known, "error"):
        listed = ", ".join(wrong[:SHOWN]) + (" …" if len(wrong) > SHOWN else "")
        yield Finding("error", key, f"{len(wrong)} must not be released: {listed} (loa locale lint {language.tag})")
    states = {source.context: state_beside(source, known) for source in sources(catalogue)}
    stale = sum(state == "stale" for state in states.values())
    high = sum(states[source.context] in {"draft", "reviewed"} for source in sources(catalogue) if source.risk == "high")
    doubtful = len(_contexts(catalogue, language, known, "look"))
    told = {
        f"{stale} withheld, their Vietnamese text changed (loa locale stale {language.tag})": stale,
        f"{high} of high risk withheld until they are approved": high,
        f"{doubtful} that somebody should look at (loa locale lint {language.tag})": doubtful,
    }
    if said := [sentence for sentence, number in told.items() if number]:
        yield Finding("review", key, "; ".join(said))


def _contexts(catalogue: Catalogue, language: Language, known: Mapping[str, Translation], severity: Severity) -> list[str]:
    found = faults(known, language, catalogue.languages[VIETNAMESE])
    return list(dict.fromkeys(translation.context for translation, problem in found if problem.severity == severity))
