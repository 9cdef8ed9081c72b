"""What a person should know of the clips: which are heard, which are withheld because the text changed, which are broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.directory.languages import VIETNAMESE
from bot.findings import Finding
from bot.languages.catalogue import Catalogue


@dataclass(frozen=True)
class ClipCounts:
    """Of one language. `withheld`: of other words than today's; `broken`: cannot be served at all."""

    tag: str
    heard: int
    synthetic: int
    withheld: tuple[str, ...]
    broken: int


def clip_findings(catalogue: Catalogue) -> list[Finding]:
    """`error` for what cannot be served, `review` for what is withheld."""
    found: list[Finding] = []
    for tag in catalogue.clips.tags():
        found += [Finding("error", f"audio/{fault.key}", fault.sentence) for fault in catalogue.clips.faults(tag)]
        if tag not in catalogue.languages:
            found.append(Finding("error", f"audio/{tag}", "is no language of data/directory/languages.yml"))
        found += [Finding("review", f"audio/{tag}/{key}", f"withheld: {reason}") for key, reason in withheld(catalogue, tag)]
    return found


def withheld(catalogue: Catalogue, tag: str) -> Iterator[tuple[str, str]]:
    """(answer, why) of the clips that nobody hears."""
    for key, clip in catalogue.clips.all(tag).items():
        text = catalogue.heard(key, tag)
        if key not in catalogue.entries:
            yield key, "there is no such answer"
        elif text is None:
            yield key, f"the answer is not sent in {tag} (withdrawn, not translated, or not approved)"
        elif not clip.says(text):
            yield key, "the text, or a number in it, is another one since; record it anew"


def clip_counts(catalogue: Catalogue, tag: str) -> ClipCounts:
    clips = catalogue.clips.all(tag)
    kept_back = tuple(key for key, _ in withheld(catalogue, tag))
    heard = [clip for key, clip in clips.items() if key not in kept_back]
    return ClipCounts(tag, len(heard), sum(clip.is_synthetic for clip in heard), kept_back, len(catalogue.clips.faults(tag)))


def count_line(counts: ClipCounts) -> str:
    return (
        f"{counts.tag}: {counts.heard} clips are heard ({counts.synthetic} synthetic), "
        f"{len(counts.withheld)} withheld, {counts.broken} broken"
    )


def tags_with_clips(catalogue: Catalogue) -> list[str]:
    """Vietnamese first."""
    return sorted(catalogue.clips.tags(), key=lambda tag: (tag != VIETNAMESE, tag))
