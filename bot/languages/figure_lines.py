"""What an answer says of figures, put together from the fragments of locales/vi/figures.yml: the sentence, the lines below it,
the words of a picture and what it shows in words. Pure.

An action gives numbers, days and keys (actions/figures.py), the fragments hold every word, this joins them.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from bot.directory.documents import spoken_date
from bot.graphemes import cut
from bot.messages import Attachment

Fragments = Mapping[str, str]
Figure = Mapping[str, Any]

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
# As long as an answer may be (bot/check.py).
MOST_CHARACTERS = 900
MOST_CHARACTERS_OF_A_CORRECTION = 500
# Staff may enter an issuer of 200 letters.
MOST_CHARACTERS_OF_AN_ISSUER = 100
# An alternative text that is longer than a caption may be is cut by the platform.
MOST_BARS_TOLD = 16


@dataclass(frozen=True)
class Line:
    """`may_go`: the first to be left out when an answer grows too long; 0 stays whatever happens."""

    text: str
    may_go: int = 0


def figure_texts(values: Mapping[str, Any], fragments: Fragments, *, beside: int) -> dict[str, str]:
    """The placeholders `figure`, `figure_lines` and `stale_since`, when the action told figures. `beside`: how many letters
    the answer has besides them."""
    told: Mapping[str, Any] | None = values.get("told")
    if told is None:
        return {}
    figures: Sequence[Figure] = told["figures"]
    texts = {"figure": "", "stale_since": ""}
    if figures:
        texts["stale_since"] = spoken_date(figures[0]["stale_since"] or figures[0]["as_of"])
    if figures and not told["is_old"]:
        texts["figure"] = sentence(figures[0], fragments)
    room = MOST_CHARACTERS - beside - sum(map(len, texts.values()))
    lines = _short_enough(_lines(told, fragments, is_first_told=not told["is_old"]), room)
    return {**texts, "figure_lines": lines}


def sentence(figure: Figure, fragments: Fragments) -> str:
    """`Đắk Lắk có 120 ca mắc COVID-19 mới được báo cáo trong 7 ngày từ 9/11 đến 15/11/2026.`"""
    template = fragments[f"figure_{figure['metric']}{_form(figure)}"]
    return template.format(place=figure["place_name"], value=_number(figure["value"], fragments), time=_time(figure, fragments))


def corrected_lines(corrected: Sequence[Mapping[str, Any]], fragments: Fragments, *, beside: int) -> str:
    """A line for each number that was told and has changed: `told_value`, and the figure as it is now. What does not fit into a
    correction that has `beside` letters already is told of in general."""
    lines = [_corrected(figure, fragments) for figure in corrected]
    more = fragments["figure_corrected_more"]
    kept = lines[:1]
    for line in lines[1:]:
        if sum(map(len, [*kept, line, more])) + len(kept) + 2 + beside > MOST_CHARACTERS_OF_A_CORRECTION:
            break
        kept.append(line)
    return "\n".join(kept if len(kept) == len(lines) else [*kept, more])


def number(value: int, separator: str = ".") -> str:
    """11624000 → `11.624.000`."""
    return f"{value:,}".replace(",", separator)


def _number(value: int, fragments: Fragments) -> str:
    """As the language groups its digits: to an English reader `43.206` is forty-three."""
    return number(value, fragments["figure_thousands"])


def pictures(values: Mapping[str, Any], fragments: Fragments) -> tuple[Attachment, ...]:
    """The picture that an action offers, with its numbers in words."""
    picture = values.get("picture")
    if picture is None:
        return ()
    try:
        url = f"figures/{picture['place']}/{picture['metric']}.png?weeks={picture['weeks']}"
        return (Attachment(url, picture_words(picture, fragments)["alt"]),)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return ()  # a picture that cannot be described is left out: the words are the answer


def picture_words(picture: Mapping[str, Any], fragments: Fragments) -> dict[str, Any]:
    """`title`, `no_figure`, `notes` and `alt` of a picture of weeks (bot/figures/weeks.py `as_value`)."""
    bars = picture["bars"]
    given = {
        "place": picture["place_name"],
        "what": fragments[f"picture_{picture['metric']}"],
        "weeks": len(bars),
        "day": spoken_date(bars[-1]["ends_on"]),
        "issuer": picture["issuer"],
        "fetched": spoken_date(picture["fetched_on"]),
        "stale_since": spoken_date(picture["stale_since"]) if picture["stale_since"] else "",
        "parts": ", ".join(picture["summed_over"]),
    }
    notes = ["picture_weeks"]
    notes += ["picture_backlog"] if any(bar["is_backlog"] for bar in bars) else []
    notes += ["picture_summed"] if len(picture["summed_over"]) > 1 else []
    notes += ["picture_stale"] if picture["stale_since"] else []
    notes += ["picture_source"]
    told = "; ".join(_bar(bar, fragments) for bar in reversed(bars[-MOST_BARS_TOLD:]))
    return {
        "title": fragments["picture_title"].format(**given),
        "no_figure": fragments["picture_no_figure"],
        "notes": tuple(fragments[note].format(**given) for note in notes),
        "alt": fragments["picture_alt"].format(**given, bars=told),
    }


def _bar(bar: Mapping[str, Any], fragments: Fragments) -> str:
    day = spoken_date(bar["ends_on"]).rpartition("/")[0]
    if bar["value"] is None:
        return fragments["picture_bar_no_figure"].format(day=day)
    return fragments["picture_bar_backlog" if bar["is_backlog"] else "picture_bar"].format(
        day=day, value=_number(bar["value"], fragments)
    )


def _corrected(figure: Figure, fragments: Fragments) -> str:
    issuer = str(figure["issuer"])
    return fragments["figure_corrected"].format(
        what=fragments[f"figure_what_{figure['metric']}{'_total' if figure['kind'] == 'total' else ''}"],
        place=figure["place_name"],
        time=_time(figure, fragments),
        before=_number(figure["told_value"], fragments),
        now=_number(figure["value"], fragments),
        unit=fragments[f"figure_unit_{figure['metric']}"],
        issuer=issuer if len(issuer) <= MOST_CHARACTERS_OF_AN_ISSUER else f"{cut(issuer, MOST_CHARACTERS_OF_AN_ISSUER - 1)}…",
    )


def _lines(told: Mapping[str, Any], fragments: Fragments, *, is_first_told: bool) -> Iterator[Line]:
    """Everything below the first sentence, in the order in which it is read."""
    figures: Sequence[Figure] = told["figures"]
    before: str | None = None
    for place, figure in enumerate(figures):
        time = _time(figure, fragments)
        if place > 0 or not is_first_told:
            yield Line(_item(figure, fragments, is_same_time=time == before))
        before = time
    comparison = told.get("comparison")
    if comparison:
        yield Line(_compared(comparison, fragments, is_now_told=comparison.get("now") in figures))
    for note in told["notes"]:
        yield Line(fragments[f"figure_note_{note['key']}"].format(**note), int(note.get("may_go", 0)))
    yield from (Line(text) for text in _sources(figures, fragments))


def _item(figure: Figure, fragments: Fragments, *, is_same_time: bool) -> str:
    time = fragments["figure_same_time"] if is_same_time else _time(figure, fragments)
    template = fragments[f"figure_item_{figure['metric']}{_form(figure)}"]
    return template.format(place=figure["place_name"], value=_number(figure["value"], fragments), time=_capital(time))


def _form(figure: Figure) -> str:
    """The ending of a fragment's name: a total is spoken of differently from what was new, and from none."""
    if figure["kind"] == "total":
        return "_total"
    return "_none" if figure["value"] == 0 else ""


def _time(figure: Figure, fragments: Fragments) -> str:
    day, days = datetime.date.fromisoformat(figure["as_of"]), figure.get("days")
    given = {"day": spoken_date(figure["as_of"]), "days": days}
    if figure["kind"] == "total":
        return fragments["figure_until_doses" if figure["metric"].endswith("doses") else "figure_until"].format(**given)
    if figure.get("starts_at") and figure.get("ends_at"):
        return fragments["figure_window"].format(starts=_hour(figure["starts_at"]), ends=_hour(figure["ends_at"]))
    if days and days > 1:
        first = day - datetime.timedelta(days=days - 1)
        return fragments["figure_days"].format(first=_without_year(first, day), **given)
    return fragments["figure_day"].format(**given)


def _compared(comparison: Mapping[str, Any], fragments: Fragments, *, is_now_told: bool) -> str:
    """More or fewer in words, with both numbers and both times, so that nobody has to trust a percentage."""
    if comparison["direction"] == "not_comparable":
        return fragments["figure_not_comparable"]
    before, now = comparison["before"], comparison["now"]
    given = {
        "change": _number(abs(comparison["change"]), fragments),
        "unit": fragments[f"figure_unit_{now['metric']}"],
        "before": _number(before["value"], fragments),
        "before_time": _time(before, fragments),
        "now": _number(now["value"], fragments),
        "time": _capital(_time(now, fragments)),
    }
    return fragments[f"figure_compared_{comparison['direction']}{'' if is_now_told else '_now'}"].format(**given)


def _sources(figures: Iterable[Figure], fragments: Fragments) -> list[str]:
    """Who published and when we read it, once for all figures that have both in common."""
    given = dict.fromkeys((str(f["issuer"]), spoken_date(f["fetched_on"])) for f in figures)
    return [fragments["figure_source"].format(issuer=issuer, fetched=fetched) for issuer, fetched in given]


def _short_enough(lines: Iterable[Line], room: int) -> str:
    """Without the lines that may go first, as many as needed."""
    kept = list(lines)
    while sum(len(line.text) + 1 for line in kept) > room and any(line.may_go for line in kept):
        kept.remove(max(kept, key=lambda line: line.may_go))
    return "\n".join(line.text for line in kept)


def _hour(moment: str) -> str:
    """`16 giờ 20/11/2026`, `16 giờ 30 20/11/2026`: an ISO moment in Viet Nam."""
    at = datetime.datetime.fromisoformat(moment).astimezone(VIETNAM)
    minutes = f" {at.minute:02}" if at.minute else ""
    return f"{at.hour} giờ{minutes} {spoken_date(at.date().isoformat())}"


def _without_year(first: datetime.date, last: datetime.date) -> str:
    spoken = spoken_date(first.isoformat())
    return spoken.rpartition("/")[0] if first.year == last.year else spoken


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
