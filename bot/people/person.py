"""Who a message asks about: ages, pregnancy, illnesses, vaccines, doses, and since when.

Pure but for reading the tables once; total on any str; linear in its length. What is recognised is shown back to the citizen,
so that a misreading can be seen; nothing here decides anything about a person.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.people.ages import Age, AgeGroup, age_groups_in, ages_in
from bot.people.days import DaysSince, NamedDate, dates_in, days_since_in
from bot.people.doses import BOOSTER, Dose, doses_in
from bot.people.illnesses import Illness, illnesses_in
from bot.people.pregnancy import Pregnancy, pregnancy_in, with_pregnancy_tests
from bot.people.reading import Reading
from bot.people.vocabulary import Hit, Vocabulary

ABOUT, ORDINAL = "about", "ordinal"
Entity = dict[str, Any]


@dataclass(frozen=True)
class NamedVaccine:
    """A key of data/directory/vaccines.yml."""

    key: str
    first: int
    last: int


@dataclass(frozen=True)
class Person:
    """All that a message says about people, in its order. A message on a mother and her child holds both ages."""

    reading: Reading
    ages: tuple[Age, ...]
    age_groups: tuple[AgeGroup, ...]
    pregnancy: Pregnancy | None
    illnesses: tuple[Illness, ...]
    vaccines: tuple[NamedVaccine, ...]
    doses: tuple[Dose, ...]
    days_since: tuple[DaysSince, ...]
    dates: tuple[NamedDate, ...]


def person_in(text: str, vocabulary: Vocabulary, today: datetime.date) -> Person:
    """What `text` says on `today`; never raises."""
    reading = Reading.of(text)
    hits = with_pregnancy_tests(reading, vocabulary.hits(reading), vocabulary)
    ages = ages_in(reading, vocabulary, today)
    dates = dates_in(reading, today)
    return Person(
        reading=reading,
        ages=ages,
        age_groups=age_groups_in(reading, vocabulary, ages, hits),
        pregnancy=pregnancy_in(reading, hits, vocabulary),
        illnesses=illnesses_in(reading, hits, vocabulary),
        vaccines=tuple(_vaccines(hits)),
        doses=doses_in(reading, vocabulary),
        days_since=days_since_in(reading, hits, dates, today),
        dates=dates,
    )


def entities(person: Person) -> list[Entity]:
    """The entities of a message, as Rasa carries them; `start` and `end` are places in the text as typed.

    | entity       | value                               | role                            | group                     |
    |--------------|-------------------------------------|---------------------------------|---------------------------|
    | `age`        | number                              | `years`, `months`               | `about` (year of birth)   |
    | `age_group`  | infant child adolescent adult older |                                 |                           |
    | `pregnancy`  | pregnant breastfeeding planning …   | `early`, `later` (from week 13) | `20 weeks`, `5 months`, … |
    | `condition`  | a key of conditions.yml             | `now`, `past`, `denied`         |                           |
    | `vaccine`    | a key of vaccines.yml               |                                 |                           |
    | `dose`       | number or `booster`                 | `received`, `asked`             |                           |
    | `days_since` | number                              | what happened then              | `ordinal` (the nth day)   |
    | `date`       | `2026-11-22`                        |                                 |                           |
    """
    return sorted(_entities(person), key=lambda entity: (entity["start"], entity["end"]))


def _vaccines(hits: Sequence[Hit]) -> Iterable[NamedVaccine]:
    seen: set[str] = set()
    for hit in hits:
        if hit.kind == "vaccine" and hit.key not in seen:
            seen.add(hit.key)
            yield NamedVaccine(hit.key, hit.first, hit.last)


class _Placed(Protocol):
    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...


def _entity(person: Person, name: str, value: object, at: _Placed, role: str | None = None, group: str | None = None) -> Entity:
    start, end = person.reading.span(at.first, at.last)
    said = {"entity": name, "value": value, "start": start, "end": end, "role": role, "group": group}
    return {key: part for key, part in said.items() if part is not None}


def _entities(person: Person) -> Iterable[Entity]:
    """Who it is, what they have, and when what happened."""
    yield from _of_age(person)
    if (pregnancy := person.pregnancy) is not None:
        length = f"{pregnancy.length} {pregnancy.unit}" if pregnancy.length else None
        yield _entity(person, "pregnancy", pregnancy.state, pregnancy, pregnancy.stage, length)
    for illness in person.illnesses:
        yield _entity(person, "condition", illness.key, illness, illness.status)
    for vaccine in person.vaccines:
        yield _entity(person, "vaccine", vaccine.key, vaccine)
    for dose in person.doses:
        yield _entity(person, "dose", dose.number or BOOSTER, dose, dose.role)
    yield from _of_time(person)


def _of_age(person: Person) -> Iterable[Entity]:
    for age in person.ages:
        yield _entity(person, "age", age.value, age, age.unit, ABOUT if age.is_about else None)
    for group in person.age_groups:
        yield _entity(person, "age_group", group.group, group)


def _of_time(person: Person) -> Iterable[Entity]:
    for since in person.days_since:
        yield _entity(person, "days_since", since.days, since, since.role, ORDINAL if since.is_ordinal else None)
    for date in person.dates:
        yield _entity(person, "date", date.day.isoformat(), date)
