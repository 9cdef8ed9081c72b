"""The weekly report for the steering committee: one week in sentences, from counts alone. Sent nowhere by itself."""

from __future__ import annotations

import asyncio
import datetime
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from bot.campaigns.tables import FEWEST, Cell, shown
from bot.database import DictConnection
from bot.directory.languages import VIETNAMESE
from bot.insights import numbers, rising
from bot.insights.drawing import said
from bot.insights.named import Namer
from bot.insights.numbers import Days, Span, changed, up_to
from bot.insights.rollups import VIETNAM
from bot.insights.shown import change_words, percent
from bot.languages import po
from bot.languages.catalogue import PROVINCE_NAMES, Catalogue
from bot.languages.interface import interface_words
from bot.languages.translation import coverage, sources, total

RUMOURS = "rumor_check"
MOST_LINES, MOST_RISES, MOST_CORRECTIONS, MOST_JUDGED = 5, 4, 3, 3
FEWEST_DAYS = 5
_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})")


class WeekRefused(Exception):
    """`reason` is a key of locales/vi/interface/insights.yml."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Week:
    """Monday to Sunday, as the calendar counts it: `2026-W47`."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str, today: datetime.date) -> Week:
        """Raises WeekRefused. "" is the last week that is over."""
        if not text:
            return cls.of(today - datetime.timedelta(days=7))
        match = _WEEK.fullmatch(text.strip().upper())
        try:
            week = cls(int(match[1]), int(match[2])) if match else None
            begins = week.days.first if week else None
        except ValueError:
            week = begins = None
        if week is None or begins is None:
            raise WeekRefused("report_bad_week")
        if begins > today:
            raise WeekRefused("report_future")
        return week

    @classmethod
    def of(cls, day: datetime.date) -> Week:
        year, number, _ = day.isocalendar()
        return cls(year, number)

    @property
    def days(self) -> Days:
        return Days.until(datetime.date.fromisocalendar(self.year, self.number, 7), 7)

    def back(self, weeks: int) -> Week:
        return Week.of(self.days.first - datetime.timedelta(days=7 * weeks))

    def __str__(self) -> str:
        return f"{self.year}-W{self.number:02}"


@dataclass(frozen=True)
class Section:
    title: str
    lines: Sequence[str]
    name: str = ""


@dataclass(frozen=True)
class Report:
    """`notes`: what is missing of the week. Without sections nothing was counted."""

    week: Week
    title: str
    of: str
    days: str
    notes: Sequence[str]
    sections: Sequence[Section]
    made: str


class Reporter:
    """Holds what does not change from week to week: the words, the names, the translations."""

    def __init__(self, root: Path, catalogue: Catalogue) -> None:
        self._root, self._catalogue = root, catalogue
        self.words = interface_words(root, "insights")
        self._namer = Namer(root, catalogue, self.words)

    async def read(self, connection: DictConnection, week: Week, now: datetime.datetime) -> Report:
        span, before = await numbers.read(connection, week.days), await numbers.read(connection, week.days.before)
        earlier = [await numbers.read(connection, week.back(back).days) for back in range(1, rising.MOST_WEEKS + 1)]
        corrected = await _corrections(connection, week.days)
        reported = await _rumour_reports(connection, week.days)
        reworded = await _reworded(connection, week.days)
        withdrawn, judged = await _withdrawn(connection, week.days), await _judged(connection, week.days)
        # Names and translations are read from files.
        sections = await asyncio.to_thread(self._sections, span, before, earlier, corrected, reworded, reported)
        by_staff = {"rumours": self._verdicts(judged), "corrected": self._taken_back(withdrawn)}
        sections = [replace(one, lines=[*one.lines, *by_staff.get(one.name, [])]) for one in sections]
        return Report(
            week,
            self.words["report_title"].format(week=f"{week.number}/{week.year}"),
            self.words["report_of"].format(province=PROVINCE_NAMES[self._catalogue.province]),
            self.words["report_days"].format(first=_day(week.days.first), last=_day(week.days.last)),
            self._notes(span, now),
            sections,
            self.words["report_made"].format(at=f"{now.astimezone(VIETNAM):%H:%M %d/%m/%Y}"),
        )

    def _sections(
        self,
        span: Span,
        before: Span,
        earlier: Sequence[Span],
        corrected: Sequence[Mapping[str, Any]],
        reworded: int,
        reported: tuple[int, int] | None,
    ) -> list[Section]:
        if span.is_empty:
            return []
        lines = {
            "numbers": self._numbers(span, before),
            "asked": self._asked(span, before),
            "rising": self._rising(span, earlier),
            "rumours": self._rumours(span, before, reported),
            "failed": self._failed(span),
            "corrected": self._corrected(corrected, reworded),
            "translations": self._translations(),
            "health": self._health(span),
        }
        return [Section(self.words["report_sections"][name], said, name) for name, said in lines.items()]

    def _notes(self, span: Span, now: datetime.datetime) -> list[str]:
        if span.is_empty:
            return [self.words["report_none"]]
        is_running = span.days.last >= now.astimezone(VIETNAM).date()
        missing = span.days.count - len(span.counted)
        said = [self.words["report_running"]] if is_running else []
        return said + ([self.words["report_missing"].format(missing=missing)] if missing else [])

    def _numbers(self, span: Span, before: Span) -> list[str]:
        say = self.words["report_lines"]
        half = up_to(span.waits, 0.5)
        waited = say["waited"].format(time=self._namer.time(half)) if half is not None else say["waited_none"]
        lines = [
            say["traffic"].format(
                messages=_cell(span.total["messages"]),
                conversations=_cell(span.total["conversations"]),
                change=self._change(span, before, "messages"),
                by_bot=percent(span.share("by_bot", "conversations")),
            ),
            say["understood"].format(
                understood=percent(span.share("understood", "typed")), cases=_cell(sum(span.cases.values())), waited=waited
            ),
        ]
        alarms = span.total["emergencies"]
        return [*lines, say["emergencies"].format(count=_cell(alarms))] if alarms else lines

    def _asked(self, span: Span, before: Span) -> list[str]:
        say, topics = self.words["report_lines"], span.parts["topic"]
        named = [(key, counts["questions"]) for key, counts in topics.items() if key][:MOST_LINES]
        lines = [
            say["asked"].format(
                title=self._namer.topic(key),
                count=_cell(count),
                change=self._changed(count, before.parts["topic"].get(key, numbers.NONE)["questions"], span, before),
            )
            for key, count in named
        ]
        places = [key for key, counts in span.parts["place"].items() if key and counts["messages"] >= FEWEST][:MOST_LINES]
        where = [say["places"].format(places=", ".join(map(self._namer.place, places)))] if places else []
        return [*(lines or [say["asked_none"]]), *where]

    def _rising(self, span: Span, earlier: Sequence[Span]) -> list[str]:
        say = self.words["report_lines"]
        weeks = [week for week in earlier if len(week.counted) >= FEWEST_DAYS and not week.is_empty]
        if len(weeks) < rising.FEWEST_WEEKS:
            return [say["rising_short"].format(weeks=len(weeks))]
        usual: Counter[str] = Counter()
        for week in weeks:
            usual.update(_conversations(week))
        found = rising.rises(_conversations(span), usual)[:MOST_RISES]
        lines = [
            say["rising_new" if rise.is_new else "rising"].format(
                title=self._namer.topic(rise.topic),
                count=said(rise.count),
                times="" if rise.is_new else f"{rise.times:.1f}".replace(".", ","),
            )
            for rise in found
        ]
        return lines or [say["rising_none"]]

    def _rumours(self, span: Span, before: Span, reported: tuple[int, int] | None) -> list[str]:
        say = self.words["report_lines"]
        asked, asked_before = (s.parts["topic"].get(RUMOURS, numbers.NONE)["questions"] for s in (span, before))
        lines = [say["rumours_none"]]
        if asked:
            lines = [say["rumours"].format(count=_cell(asked), change=self._changed(asked, asked_before, span, before))]
        if reported is not None:
            lines.append(say["rumours_reported"].format(count=_cell(reported[0]), open=_cell(reported[1])))
        return lines

    def _failed(self, span: Span) -> list[str]:
        say = self.words["report_lines"]
        gave_up = span.cases.get("not_understood", 0) + span.cases.get("not_helpful", 0)
        worst = sorted((t for t in span.answers if t.not_helpful >= FEWEST), key=lambda t: (-t.not_helpful, t.key))[:MOST_JUDGED]
        judged = [say["judged_one"].format(title=self._namer.answer(t.key), count=said(t.not_helpful)) for t in worst]
        return [
            say["failed"].format(
                fallback=_cell(span.total["fallback"]),
                share=percent(span.share("fallback", "questions")),
                refused=_cell(span.total["refused"]),
            ),
            say["gave_up"].format(count=_cell(gave_up)),
            say["judged"].format(answers=", ".join(judged)) if judged else say["judged_none"],
        ]

    def _corrected(self, corrected: Sequence[Mapping[str, Any]], reworded: int) -> list[str]:
        say, metrics = self.words["report_lines"], self.words["metrics"]
        lines = [
            say["corrected"].format(
                what=metrics.get(row["metric"], row["metric"]),
                place=self._namer.place(row["place"]),
                day=_day(row["as_of"]),
                old=said(row["told_value"]),
                new=said(row["new_value"]),
                state=say["corrected_sent"].format(count=_cell(row["told"])) if row["told"] else say["corrected_unsent"],
            )
            for row in corrected[:MOST_CORRECTIONS]
        ]
        return [*(lines or [say["corrected_none"]]), *([say["reworded"].format(count=said(reworded))] if reworded else [])]

    def _taken_back(self, keys: Sequence[str]) -> list[str]:
        """Answers that staff withdrew, whether they came back since or not; several to one question are named once."""
        named = list(dict.fromkeys(self._namer.answer(key) for key in keys))
        answers = ", ".join(named[:MOST_JUDGED]) + (" …" if len(named) > MOST_JUDGED else "")
        return [self.words["report_lines"]["withdrawn"].format(count=said(len(keys)), answers=answers)] if keys else []

    def _verdicts(self, judged: Sequence[tuple[str, str]]) -> list[str]:
        """Claims and verdicts are words of staff that two people approved."""
        say, fragments = self.words["report_lines"], self._catalogue.fragments
        lines = [
            say["verdict"].format(claim=claim, judged=fragments[f"judged_{verdict}"]) for claim, verdict in judged[:MOST_JUDGED]
        ]
        left = len(judged) - len(lines)
        return lines + ([say["verdicts_more"].format(count=said(left))] if left else [])

    def _translations(self) -> list[str]:
        say, wanted, lines = self.words["report_lines"], sources(self._catalogue), []
        for language in self._catalogue.languages.of_province(self._catalogue.province):
            if language.tag == VIETNAMESE:
                continue
            path = self._root / po.FILE.format(tag=language.tag)
            whole = total(coverage(wanted, po.read(path) if path.exists() else {}))
            if whole.share("missing") < 1:
                shares = {"share": whole.share("approved"), "drafts": whole.share("reviewed", "draft")}
                lines.append(say["translation"].format(name=language.name, **{n: round(s * 100) for n, s in shares.items()}))
        return ["; ".join(lines) + "."] if lines else [say["translations_none"]]

    def _health(self, span: Span) -> list[str]:
        say, reasons = self.words["report_lines"], Counter[str]()
        for (_, status, reason), count in span.deliveries.items():
            if status not in {"sent", "waiting", "sending", "withdrawn"}:
                reasons[reason] += count
        named = ", ".join(f"{self.words['send_reasons'].get(key, key)} {_cell(count)}" for key, count in reasons.most_common(4))
        sent, failed = _cell(span.sent("sent")), sum(reasons.values())
        sends = (
            say["sends"].format(sent=sent, failed=_cell(failed), reasons=named) if failed else say["sends_well"].format(sent=sent)
        )
        lines = [sends, say["degraded"].format(count=_cell(span.total["degraded"]))]
        if (soon := up_to(span.answer_times, 0.95)) is not None:
            lines.append(say["answer"].format(time=self._namer.time(soon)))
        told = sum(span.figures.values())
        return [*lines, say["figures"].format(count=_cell(told))] if told else lines

    def _change(self, span: Span, before: Span, measure: str) -> str:
        return self._changed(span.total[measure], before.total[measure], span, before)

    def _changed(self, now: int, then: int, span: Span, before: Span) -> str:
        """By the day, for a week may be running or have holes; hidden numbers are not told by their change."""
        is_hidden = min(now, then) < FEWEST or not span.counted or not before.counted
        change = None if is_hidden else changed(now / len(span.counted), then / len(before.counted))
        return change_words(self.words, change)


def as_text(report: Report) -> str:
    """For a terminal."""
    lines = [report.title, f"{report.of}, {report.days}", *report.notes]
    for section in report.sections:
        lines += ["", section.title, *(f"- {line}" for line in section.lines)]
    return "\n".join([*lines, "", report.made])


def _conversations(span: Span) -> dict[str, int]:
    return {topic: counts["conversations"] for topic, counts in span.parts["topic"].items() if topic}


def _cell(count: int) -> str:
    cell: Cell = shown(count)
    return said(cell) if count else "0"


def _day(day: datetime.date) -> str:
    return f"{day:%d/%m/%Y}"


async def _corrections(connection: DictConnection, days: Days) -> list[dict[str, Any]]:
    """Numbers that changed after they were told, with how many were told so."""
    cursor = await connection.execute(
        """SELECT c.metric, c.place, c.as_of, c.told_value, c.new_value,
                  (SELECT count(*) FROM correction_recipients r WHERE r.correction_id = c.id AND r.state = 'sent')::int AS told
           FROM corrections c WHERE (c.proposed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date BETWEEN %s AND %s
            AND c.state IN ('proposed', 'ended') ORDER BY c.id DESC""",
        [days.first, days.last],
    )
    return cast(list[dict[str, Any]], await cursor.fetchall())


async def _rumour_reports(connection: DictConnection, days: Days) -> tuple[int, int] | None:
    """(reported in these days, still without a verdict); None where rumours are not collected."""
    cursor = await connection.execute("SELECT to_regclass('rumour_reports') IS NOT NULL AS is_there")
    if not cast(dict[str, Any], await cursor.fetchone())["is_there"]:
        return None
    cursor = await connection.execute(
        """SELECT count(*) FILTER (WHERE (reported_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date BETWEEN %s AND %s)::int AS reported,
                  count(*) FILTER (WHERE state IN ('open', 'proposed'))::int AS open FROM rumour_reports""",
        [days.first, days.last],
    )
    row = cast(dict[str, Any], await cursor.fetchone())
    return row["reported"], row["open"]


async def _reworded(connection: DictConnection, days: Days) -> int:
    """Answers that were told in a wording which nobody was told before, while they had another."""
    cursor = await connection.execute(
        """SELECT count(DISTINCT response_key)::int AS count FROM insight_answers n
           WHERE day BETWEEN %(first)s AND %(last)s AND revision <> ''
             AND NOT EXISTS (SELECT FROM insight_answers o WHERE o.response_key = n.response_key AND o.revision = n.revision
                                AND o.day < %(first)s)
             AND EXISTS (SELECT FROM insight_answers o WHERE o.response_key = n.response_key AND o.revision <> ''
                            AND o.day < %(first)s)""",
        {"first": days.first, "last": days.last},
    )
    return int(cast(dict[str, Any], await cursor.fetchone())["count"])


async def _withdrawn(connection: DictConnection, days: Days) -> list[str]:
    """Keys of the answers that were withdrawn in these days."""
    cursor = await connection.execute(
        """SELECT response_key FROM withdrawals WHERE (withdrawn_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date BETWEEN %s AND %s
            GROUP BY 1 ORDER BY min(id)""",
        [days.first, days.last],
    )
    return [str(row["response_key"]) for row in await cursor.fetchall()]


async def _judged(connection: DictConnection, days: Days) -> list[tuple[str, str]]:
    """(claim, verdict) of what was published in these days."""
    cursor = await connection.execute(
        """SELECT claim, verdict FROM rumour_verdicts WHERE state = 'approved'
              AND (decided_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date BETWEEN %s AND %s ORDER BY id""",
        [days.first, days.last],
    )
    return [(str(row["claim"]), str(row["verdict"])) for row in await cursor.fetchall()]
