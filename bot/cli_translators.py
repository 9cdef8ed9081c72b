"""`loa locale invite | invites | invite-end | merge`: the links of the translators' page, and its work taken into the files."""

from __future__ import annotations

import datetime
import functools
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from bot.audit import entry, shell_actor
from bot.cli_database import carried_out
from bot.database import DictConnection
from bot.directory.languages import VIETNAMESE, Language
from bot.languages import audio, po
from bot.languages.catalogue import VIETNAM, Catalogue
from bot.languages.translation import sources
from bot.settings import ROOT, Settings
from bot.translate import invites, revisions
from bot.translate.invites import ROLES, Invite, InviteRefused, Role
from bot.translate.merge import Merged, may_be_heard, merged
from bot.translate.recording import Recording
from bot.translate.work import Audio, Head, piece

T = TypeVar("T")

app = typer.Typer()
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)

AUDIO_ROOT = "audio"
OUTCOMES = ("approved", "reviewed", "draft", "stale", "faulty", "elsewhere", "gone")


@dataclass(frozen=True)
class Work:
    """What the page holds of a language. `sounds`: by context."""

    heads: Mapping[str, Head]
    audios: Mapping[str, Audio]
    sounds: Mapping[str, Recording]
    taken_back: Iterable[str]


@app.command()
def invite(
    tag: Annotated[str, typer.Option(help="a language of data/directory/languages.yml, for example rad")],
    name: Annotated[str, typer.Option(help="who translates; a reviewer as in data/directory/languages.yml")],
    role: Annotated[str, typer.Option(help="translator, or reviewer (may approve what another wrote)")] = "translator",
    days: Annotated[int, typer.Option(help="how long the link opens the page")] = 30,
) -> None:
    """Print the address of a translator's page, once: one person, one language. Whoever has it can work in that name."""
    chosen: Role | None = next((known for known in ROLES if known == role), None)
    if chosen is None:
        raise typer.BadParameter(f"{role!r} is none of {', '.join(ROLES)}", param_hint="--role")
    settings = Settings.from_environment()
    language = _language(_catalogue(), tag)
    token = _done(lambda connection: invites.make(connection, tag, name, chosen, days, shell_actor()))
    if chosen == "reviewer" and name not in language.reviewers:
        _note(
            f"{name} is not among the reviewers of {tag} in data/directory/languages.yml: "
            "what they approve is merged as a draft until the name stands there."
        )
    _note(f"The page of {name} ({language.name}, {role}) for {days} days, shown this once:")
    sys.stdout.write(f"{(settings.public_url or settings.address).rstrip('/')}/translate/{token}\n")


@app.command("invites")
def list_invites() -> None:
    """All links that were given out: whose, until when, last seen. Not the addresses: nobody has them any more."""
    found = _done(invites.all_invites)
    table = Table("id", "tag", "name", "role", "state", "until", "last seen")
    for one in found:
        table.add_row(str(one.id), one.tag, one.name, one.role, _state(one), _day(one.expires_at), _day(one.seen_at))
    console.print(table if found else "There is no invitation yet: loa locale invite --tag TAG --name NAME")


@app.command("invite-end")
def end_invite(invite_id: Annotated[int, typer.Argument(metavar="ID", help="as `loa locale invites` shows it")]) -> None:
    """Close a link at once. What was saved with it stays."""
    _done(lambda connection: invites.end(connection, invite_id, shell_actor()))
    console.print(f"Invitation {invite_id} has ended.", markup=False, highlight=False)


@app.command()
def merge(tag: Annotated[list[str], typer.Option(help="languages whose work is taken in")]) -> None:
    """Write what is done and approved on the translators' page into the files of translations, and recordings into audio/."""
    catalogue = _catalogue()
    for language in [_language(catalogue, one) for one in tag]:
        _merge_one(catalogue, language)


def _merge_one(catalogue: Catalogue, language: Language) -> None:
    work = _done(functools.partial(_work, tag=language.tag))
    told = _merge_texts(catalogue, language, work)
    heard = _merge_sounds(catalogue, language, work)
    counts = Counter[str](one.outcome for one in told)
    _done(functools.partial(_note_in_log, tag=language.tag, counts=counts, recordings=len(heard)))
    _tell(language, work, told, heard)


def _merge_texts(catalogue: Catalogue, language: Language, work: Work) -> list[Merged]:
    path = ROOT / po.FILE.format(tag=language.tag)
    pair = (language, catalogue.languages[VIETNAMESE])
    after, told = merged(sources(catalogue), po.read(path), work.heads, pair)
    if any(one.outcome in {"approved", "reviewed", "draft", "stale"} for one in told):
        po.write(path, language.tag, language.nplurals, after)
    return told


def _merge_sounds(catalogue: Catalogue, language: Language, work: Work) -> list[str]:
    """The keys whose recording lies in audio/<tag> now and did not before."""
    known = po.read(ROOT / po.FILE.format(tag=language.tag))
    written = []
    for source in sources(catalogue):
        heard = work.audios.get(source.context)
        if heard is None:
            continue
        now = piece(source, known.get(source.context), work.heads.get(source.context), heard)
        if not may_be_heard(now):
            _say(f"{language.tag}  {source.context}  recording waits: the text with it is not approved")
            continue
        content = work.sounds[source.context].content
        if _lies_there(language.tag, source.context, content):
            continue
        try:
            audio.keep(
                ROOT / AUDIO_ROOT, language.tag, source.context, content,
                said=heard.said, by=heard.name, on=heard.at.astimezone(VIETNAM).date(), is_synthetic=False,
            )  # fmt: skip
        except audio.ClipRefused as refused:
            _say(f"{language.tag}  {source.context}  recording left out: {refused}")
            continue
        written.append(source.context)
    return written


def _lies_there(tag: str, key: str, content: bytes) -> bool:
    clip = audio.Clips.below(ROOT).all(tag).get(key)
    return clip is not None and any(path.read_bytes() == content for path in clip.files.values())


def _tell(language: Language, work: Work, told: Sequence[Merged], heard: Sequence[str]) -> None:
    for one in told:
        if one.why:
            _say(f"{language.tag}  {one.context}  {one.why}")
    clips = audio.Clips.below(ROOT).all(language.tag)
    for key in work.taken_back:
        if key in clips:
            _say(f"{language.tag}  {key}  its recording was taken back on the page: remove it from {AUDIO_ROOT}/{language.tag}")
    counts = Counter[str](one.outcome for one in told)
    texts = ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES)
    drafts = sum(head.revision.status == "draft" for head in work.heads.values())
    _say(f"{language.tag}: {texts}, {counts['same']} there already; {len(heard)} recordings; {drafts} drafts stay on the page")


async def _work(connection: DictConnection, tag: str) -> Work:
    audios = await revisions.audios(connection, tag)
    sounds = {context: await revisions.sound(connection, tag, context) for context in audios}
    return Work(
        await revisions.heads(connection, tag),
        audios,
        {context: sound for context, sound in sounds.items() if sound is not None},
        sorted(await revisions.taken_back(connection, tag)),
    )


async def _note_in_log(connection: DictConnection, tag: str, counts: Mapping[str, int], recordings: int) -> None:
    await connection.execute(*entry(shell_actor(), "translations_merged", tag, counts=dict(counts), recordings=recordings))


def _done(work: Callable[[DictConnection], Awaitable[T]]) -> T:
    return carried_out(Settings.from_environment(), work, InviteRefused)


def _catalogue() -> Catalogue:
    return Catalogue.load(ROOT, Settings.from_environment().province)


def _language(catalogue: Catalogue, tag: str) -> Language:
    if tag == VIETNAMESE or tag not in catalogue.languages:
        known = ", ".join(language.tag for language in catalogue.languages.translated())
        raise typer.BadParameter(f"{tag} is not a language to translate into; known are {known}", param_hint="--tag")
    return catalogue.languages[tag]


def _state(one: Invite) -> str:
    return "open" if one.is_open else "ended" if one.ended_at else "expired"


def _day(moment: datetime.datetime | None) -> str:
    return f"{moment.astimezone(VIETNAM):%Y-%m-%d %H:%M}" if moment else "–"


def _note(sentence: str) -> None:
    errors.print(sentence, markup=False, highlight=False)


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False)
