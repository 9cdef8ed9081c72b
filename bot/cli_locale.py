"""`loa locale`: the translations' life: extract, export to a translator, import, lint, review, status."""

from __future__ import annotations

import contextlib
import datetime
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bot import cli_audio
from bot.cli_translators import app as translators
from bot.directory.languages import VIETNAMESE, Language
from bot.languages import po
from bot.languages.catalogue import VIETNAM, Catalogue, CatalogueError
from bot.languages.clip_report import clip_counts, count_line, tags_with_clips
from bot.languages.coverage_table import MarkersMissing, coverage_table, with_table
from bot.languages.interface import interface_words
from bot.languages.po import Status, Translation, TranslationsError
from bot.languages.translation import (
    STATES,
    Coverage,
    ReviewRefused,
    Source,
    contexts_of,
    coverage,
    extracted,
    reviewed,
    sources,
    state_beside,
    total,
)
from bot.languages.translation_lint import faults, sentence
from bot.languages.translation_sheets import RowResult, SheetRefused, as_csv, as_xlsx, read_rows, table, taken_in
from bot.settings import ROOT, Settings

app = typer.Typer(no_args_is_help=True)
app.add_typer(translators)
app.command()(cli_audio.audio)
app.command()(cli_audio.loudspeaker)
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)

DOCUMENT = "docs/languages.md"
TagArgument = Annotated[str, typer.Argument(help="a language of data/directory/languages.yml, for example rad")]
TagsArgument = Annotated[list[str] | None, typer.Argument(help="languages; none: all")]


@app.command()
def extract(tags: TagsArgument = None) -> None:
    """Bring the files of translations up to the Vietnamese texts of today. What changed is withheld until it is seen again.

    Without names: of the languages that have a file; a name makes one."""
    with _told():
        catalogue = _catalogue()
        for language in _languages(catalogue, tags):
            if not tags and not _file(language).exists():
                continue
            before = _known(language)
            after = extracted(sources(catalogue), before)
            _save(language, after)
            _say(f"{language.tag}: {_counts(total(coverage(sources(catalogue), {t.context: t for t in after})))}")


@app.command()
def status(
    tags: TagsArgument = None,
    write: Annotated[bool, typer.Option(help=f"write the table into {DOCUMENT}")] = False,
) -> None:
    """How much of each language and topic is approved, reviewed, draft, stale, missing."""
    with _told():
        catalogue = _catalogue()
        wanted = sources(catalogue)
        counted = [(language, coverage(wanted, _known(language))) for language in _languages(catalogue, tags)]
        if write:
            path = ROOT / DOCUMENT
            path.write_text(with_table(path.read_text(encoding="utf-8"), coverage_table(counted)), encoding="utf-8")
        for language, parts in counted:
            _print_coverage(language, parts)
        for tag in tags_with_clips(catalogue):
            _say(f"audio, {count_line(clip_counts(catalogue, tag))}")


@app.command()
def stale(tags: TagsArgument = None) -> None:
    """The translations that are withheld because their Vietnamese text changed: what was translated, what stands there now."""
    with _told():
        catalogue = _catalogue()
        for language in _languages(catalogue, tags):
            known = _known(language)
            for source in sources(catalogue):
                if state_beside(source, known) == "stale":
                    _print_change(language, source, known[source.context])


@app.command()
def export(
    tag: TagArgument,
    xlsx: Annotated[Path | None, typer.Option(help="an Excel file for a translator")] = None,
    csv: Annotated[Path | None, typer.Option(help="the same as CSV (UTF-8, opens in Excel)")] = None,
    po_file: Annotated[Path | None, typer.Option("--po", help="a PO file for a translation tool")] = None,
    only: Annotated[str, typer.Option(help=f"one state: {', '.join(STATES)}")] = "",
) -> None:
    """Write the texts of a language beside the Vietnamese, for somebody who translates."""
    with _told():
        catalogue = _catalogue()
        (language,), known = _languages(catalogue, [tag]), _known(_language(catalogue, tag))
        if only and only not in STATES:
            raise ReviewRefused(f"--only must be one of {', '.join(STATES)}")
        wanted = [s for s in sources(catalogue) if not only or state_beside(s, known) == only]
        if not (xlsx or csv or po_file):
            raise ReviewRefused("say where to: --xlsx, --csv or --po")
        rows = table(wanted, known, _words())
        if xlsx:
            xlsx.write_bytes(as_xlsx(rows, tag))
        if csv:
            csv.write_bytes(as_csv(rows))
        if po_file:
            chosen = {source.context for source in wanted}
            entries = [t for t in extracted(sources(catalogue), known) if t.context in chosen and not t.is_obsolete]
            po.write(po_file, language.tag, language.nplurals, entries)
        _say(f"{tag}: {len(wanted)} texts written")


@app.command("import")
def import_file(
    tag: TagArgument,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help=".xlsx, .csv, .po, or .yml of context: translation")],
    by: Annotated[str, typer.Option(help="who translated")],
) -> None:
    """Take in a translator's file as drafts; each row's problem is said in a translator's words. Exit code 1 if rows stay out."""
    with _told():
        catalogue, words = _catalogue(), _words()
        language = _language(catalogue, tag)
        known, wanted = _known(language), sources(catalogue)
        if not by.strip() or "," in by:
            raise ReviewRefused("--by needs the name of whoever translated, without a comma")
        rows = read_rows(file, words, [other.tag for other in catalogue.languages.all() if other.tag != tag])
        pair = (language, catalogue.languages[VIETNAMESE])
        merged, results = taken_in(rows, wanted, known, pair, by=by, on=_today())
        _save(language, extracted(wanted, merged))
        for result in results:
            _print_row(result, words["problems"])
        changed = sum(merged[context] != known.get(context) for context in merged)
        refused = sum(not result.was_taken for result in results)
        _say(f"{tag}: {len(rows)} rows read, {changed} translations taken in as drafts, {refused} rows left out")
        if refused:
            raise typer.Exit(1)


@app.command()
def review(
    tag: TagArgument,
    texts: Annotated[list[str], typer.Argument(help="keys (utter_greet: the text and its buttons) or contexts")],
    by: Annotated[str, typer.Option(help="a reviewer of data/directory/languages.yml")],
    approve: Annotated[bool, typer.Option("--approve", help="they may be sent without the Vietnamese text")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="drafts again")] = False,
) -> None:
    """Record that a native speaker has read translations (or approves, or rejects them): who, when, which wording."""
    with _told():
        catalogue = _catalogue()
        language = _language(catalogue, tag)
        if by not in language.reviewers:
            raise ReviewRefused(
                f"{by} is not among the reviewers of {tag} in data/directory/languages.yml; write the name there first"
            )
        if approve and reject:
            raise ReviewRefused("either --approve or --reject")
        known = {t.context: t for t in extracted(sources(catalogue), _known(language)) if not t.is_obsolete}
        verdict: Status = "approved" if approve else "draft" if reject else "reviewed"
        done = 0
        for context in contexts_of(texts, known):
            if known[context].text:
                if not reject:
                    _refuse_faulty(known[context], language, catalogue)
                known[context] = reviewed(known[context], verdict, by=by, on=_today().isoformat())
                done += 1
        if not done:
            raise ReviewRefused(f"{', '.join(texts)}: not translated yet, there is nothing to review")
        _save(language, extracted(sources(catalogue), {**_known(language), **known}))
        _say(f"{tag}: {done} translations {'rejected' if reject else verdict} by {by}")


@app.command()
def lint(tags: TagsArgument = None) -> None:
    """What is wrong with translations that are there. Exit code 1 if any must not be released."""
    with _told():
        catalogue, words = _catalogue(), _words()["problems"]
        found = [
            (language, translation, problem)
            for language in _languages(catalogue, tags)
            for translation, problem in faults(_known(language), language, catalogue.languages[VIETNAMESE])
        ]
        for language, translation, problem in found:
            _say(f"{problem.severity:>5}  {language.tag}  {translation.context}  {sentence(problem, words)}")
        _say(f"{len(found)} findings")
        if any(problem.severity == "error" for _, _, problem in found):
            raise typer.Exit(1)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """What is refused is one sentence on standard error, exit code 2."""
    try:
        yield
    except SheetRefused as refused:
        errors.print(_words()["file_problems"][str(refused)], style="bold red", markup=False, highlight=False)
    except (ReviewRefused, TranslationsError, MarkersMissing, CatalogueError, OSError) as error:
        errors.print(f"loa: {error}", style="bold red", markup=False, highlight=False)
    else:
        return
    sys.exit(2)


def _catalogue() -> Catalogue:
    settings = Settings.from_environment()
    return Catalogue.load(ROOT, settings.province, home=settings.home)


def _languages(catalogue: Catalogue, tags: Sequence[str] | None) -> list[Language]:
    return [_language(catalogue, tag) for tag in tags] if tags else catalogue.languages.translated()


def _language(catalogue: Catalogue, tag: str) -> Language:
    if tag == VIETNAMESE or tag not in catalogue.languages:
        known = ", ".join(language.tag for language in catalogue.languages.translated())
        raise ReviewRefused(f"{tag} is not a language to translate into; known are {known}")
    return catalogue.languages[tag]


def _known(language: Language) -> dict[str, Translation]:
    return po.read(_file(language))


def _file(language: Language) -> Path:
    return ROOT / po.FILE.format(tag=language.tag)


def _save(language: Language, translations: Sequence[Translation]) -> None:
    po.write(_file(language), language.tag, language.nplurals, translations)


def _refuse_faulty(translation: Translation, language: Language, catalogue: Catalogue) -> None:
    for _, problem in faults({translation.context: translation}, language, catalogue.languages[VIETNAMESE]):
        if problem.severity == "error":
            raise ReviewRefused(f"{translation.context}: {sentence(problem, _words()['problems'])}")


def _words() -> dict[str, Any]:
    return interface_words(ROOT, "translation")


def _today() -> datetime.date:
    return datetime.datetime.now(VIETNAM).date()


def _print_row(result: RowResult, words: Mapping[str, str]) -> None:
    for problem in result.problems:
        _say(f"{result.row.number:>5}  {result.row.context}  {sentence(problem, words)}")


def _print_change(language: Language, source: Source, translation: Translation) -> None:
    before = translation.previous or translation.source
    _say(f"{language.tag}  {source.context}\n  - {before}\n  + {source.text}\n  = {translation.text}")


def _print_coverage(language: Language, parts: Sequence[Coverage]) -> None:
    whole = total(parts)
    _say(f"{language.tag} ({language.name}): {_counts(whole)}")
    if whole.share("missing") == 1:
        return
    shown = Table("topic", *STATES)
    for part in parts:
        shown.add_row(part.topic, *(str(part.counts[state] or "") for state in STATES))
    console.print(shown)


def _counts(part: Coverage) -> str:
    return ", ".join(f"{part.counts[state]} {state}" for state in STATES) + f" of {part.total}"


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False)
