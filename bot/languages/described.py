"""What an answer says back about the person asked about, put together from the fragments of locales/vi/person.yml.

An action gives names and numbers (actions/about.py), the fragments hold every word, this joins them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Fragments = Mapping[str, str]
TRIMESTER = "trimester"


def described(values: Mapping[str, Any], fragments: Fragments) -> dict[str, str]:
    """The placeholders `person`, `screening` and `isolation` as text, those that were given."""
    texts: dict[str, str] = {}
    if "person" in values:
        texts["person"] = spoken_person(values["person"], fragments)
    if "screening" in values:
        texts["screening"] = "\n".join(_screening_lines(values["screening"], fragments))
    if "isolation" in values:
        texts["isolation"] = fragments[f"isolation_{values['isolation']}"]
    return texts


def spoken_person(person: Mapping[str, Any], fragments: Fragments) -> str:
    """`người 61 tuổi, tăng huyết áp, dương tính ngày thứ 5`."""
    parts = [
        *_age(person, fragments),
        *_pregnancy(person.get("pregnancy"), fragments),
        *(person.get("conditions") or ()),
        *(_since(since, fragments) for since in person.get("since") or ()),
    ]
    if not parts:
        return fragments["person_of_the_list"]
    # "người 61 tuổi", but "người bị …" for whom nothing but an illness is known.
    return ", ".join(parts) if _age(person, fragments) else fragments["person_who"].format(what=", ".join(parts))


def _age(person: Mapping[str, Any], fragments: Fragments) -> list[str]:
    age = person.get("age")
    if age:
        return [fragments[f"person_age_{_unit(age, person.get('group'))}"].format(value=age["value"])]
    return [fragments[f"person_{person['group']}"]] if person.get("group") else []


def _unit(age: Mapping[str, Any], group: object) -> str:
    if age["unit"] == "months":
        return "months" if age["value"] else "newborn"
    return "years_of_a_child" if group in {"infant", "child"} else "years_about" if age.get("about") else "years"


def _pregnancy(pregnancy: Mapping[str, Any] | None, fragments: Fragments) -> list[str]:
    if not pregnancy:
        return []
    length = pregnancy.get("length")
    name = f"person_{pregnancy['state']}" + (f"_{pregnancy['unit']}" if length else "")
    if length and pregnancy["unit"] == TRIMESTER:  # "ba tháng đầu", "giữa", "cuối"
        name += f"_{length}"
    return [fragments[name].format(length=length)]


def _since(since: Mapping[str, Any], fragments: Fragments) -> str:
    when = "nth" if since.get("ordinal") else {0: "today", 1: "yesterday"}.get(since["days"], "days")
    time = fragments[f"since_{when}"].format(days=since["days"])
    return fragments[f"since_{since['role']}"].format(time=time)


def _screening_lines(groups: Sequence[Mapping[str, Any]], fragments: Fragments) -> Iterable[str]:
    """One line a group and cause: `- Thận trọng (bệnh nền, bệnh mạn tính): tăng huyết áp, tiểu đường.`"""
    for line in groups:
        if "group" in line:
            yield _screening_line(line, fragments)
        if note := line.get("note"):
            yield fragments[f"screening_note_{note}"]


def _screening_line(line: Mapping[str, Any], fragments: Fragments) -> str:
    group, cause = fragments[f"screening_{line['group']}"], fragments.get(f"screening_cause_{line['cause']}", "")
    names = [
        *(line.get("names") or ()),
        *(fragments["screening_cured"].format(name=name) for name in line.get("cured") or ()),
        *_pregnancy(line.get("pregnancy"), fragments),
    ]
    template = fragments["screening_line" if cause else "screening_line_plain"]
    return template.format(group=group, cause=cause, names=", ".join(names))
