"""What was done on the page, written back into the file of a language: done and approved words, and which recordings. Pure.

Nobody is called a reviewer who is not named in data/directory/languages.yml: their word makes a draft.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.directory.languages import Language
from bot.languages.po import Status as FileStatus
from bot.languages.po import Translation, hash_of
from bot.languages.translation import Source, extracted, reviewed
from bot.languages.translation_lint import problems
from bot.translate.work import Head, Piece

Outcome = Literal["approved", "reviewed", "draft", "stale", "faulty", "elsewhere", "gone", "same"]


@dataclass(frozen=True)
class Merged:
    """What became of one text. `why`: a sentence for the shell."""

    context: str
    outcome: Outcome
    why: str = ""


def merged(
    wanted: Sequence[Source], known: Mapping[str, Translation], heads: Mapping[str, Head], languages: tuple[Language, Language]
) -> tuple[list[Translation], list[Merged]]:
    """(the file anew, what became of each text that is done or approved). `languages`: this one and Vietnamese."""
    after, told = dict(known), list[Merged]()
    by_context = {source.context: source for source in wanted}
    for context, head in heads.items():
        if head.revision.status == "draft" or not head.revision.text:
            continue
        source = by_context.get(context)
        if source is None:
            told.append(Merged(context, "gone", "there is no such text any more; the words stay in the database"))
            continue
        translation, result = _merged_one(source, known.get(context), head, languages)
        told.append(result)
        if translation is not None:
            after[context] = translation
    return extracted(wanted, after), told


def working_file(wanted: Sequence[Source], known: Mapping[str, Translation], pieces: Mapping[str, Piece]) -> list[Translation]:
    """The file as the page stands now, drafts too: for a translator's own tools, and for `loa locale import`."""
    after = dict(known)
    for source in wanted:
        now, before = pieces[source.context], known.get(source.context)
        if now.text and (before is None or before.text != now.text):
            after[source.context] = _translated(source, before, now.text, now.translated_from, by=now.author, date="")
    return extracted(wanted, after)


def _merged_one(
    source: Source, before: Translation | None, head: Head, languages: tuple[Language, Language]
) -> tuple[Translation | None, Merged]:
    newest, context = head.revision, source.context
    if before is not None and before.text and hash_of(before.text) not in head.known:
        return None, Merged(context, "elsewhere", "the file holds other words, written after this was begun; they are kept")
    if newest.source != source.text:
        is_there = before is not None and before.text == newest.text and before.state == "stale"
        stale = _translated(source, before, newest.text, newest.source, by=newest.author, date=f"{newest.at:%Y-%m-%d}")
        return None if is_there else stale, Merged(
            context, "stale", "the Vietnamese changed meanwhile: kept, marked fuzzy, withheld"
        )
    wrong = [one.code for one in problems(context, source.text, newest.text, *languages) if one.severity == "error"]
    if wrong:
        return None, Merged(context, "faulty", f"left out: {', '.join(wrong)}")
    status: FileStatus = "approved" if newest.status == "approved" else "reviewed"
    if _is_there(before, source, newest.text, status):
        return None, Merged(context, "same")
    translated = _translated(source, before, newest.text, newest.source, by=newest.author, date=f"{newest.at:%Y-%m-%d}")
    return _with_word(translated, status, head, languages[0])


def _with_word(translated: Translation, status: FileStatus, head: Head, language: Language) -> tuple[Translation, Merged]:
    """With the reviewer's record, if they are one."""
    newest, context = head.revision, translated.context
    if newest.name not in language.reviewers:
        why = f"{newest.name} is not among the reviewers of {language.tag} in data/directory/languages.yml: taken in as a draft"
        return translated, Merged(context, "draft", why)
    if status == "approved" and newest.name.casefold() == translated.by.casefold():
        return translated, Merged(context, "draft", f"{newest.name} wrote these words: taken in as a draft")
    return reviewed(translated, status, by=newest.name, on=f"{newest.at:%Y-%m-%d}"), Merged(context, _outcome(status))


def _outcome(status: FileStatus) -> Outcome:
    return "approved" if status == "approved" else "reviewed"


def _is_there(before: Translation | None, source: Source, text: str, status: FileStatus) -> bool:
    """Nothing to do: these words stand there already, with this word or a stronger one."""
    if before is None or before.text != text or before.source != source.text:
        return False
    return before.state in ({"approved"} if status == "approved" else {"approved", "reviewed"})


def _translated(source: Source, before: Translation | None, text: str, made_for: str, *, by: str, date: str) -> Translation:
    """As `loa locale import` would take it in; fuzzy, when it was made for other Vietnamese words."""
    kept = before if before is not None else Translation(source.context, source.text)
    if kept.text == text:  # the same words: who wrote them when stays
        by, date = kept.by or by, kept.date or date
    fresh = replace(replace(kept, source=source.text).translated(text, by=by, date=date), notes=source.notes, is_obsolete=False)
    if made_for == source.text:
        return fresh
    return replace(fresh, source_hash=hash_of(made_for), is_fuzzy=True, previous=made_for)


def may_be_heard(now: Piece) -> bool:
    """A second person has approved the words together with this recording of them."""
    return now.audio is not None and now.state == "approved" and not now.audio_is_old
