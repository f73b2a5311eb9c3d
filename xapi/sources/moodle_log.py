"""PURE: lines of a Moodle log export -> statements of the shape that its xAPI plugin sends.

The Description column stays English whatever the language of the export; it is what is read. Nobody's name
is kept: people are the site's own numbers, as in the plugin's statements. A line says its minute and no
second; two exports that overlap give the same statements the same ids.

What the lines mean: the `get_description` of Moodle's event classes; what they become: the plugin
"Logstore xAPI" 5.0 (verbs, types of activities, parents).
"""

from __future__ import annotations

import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from typing import Any

_NAMESPACE = uuid.UUID("5c8a0a0e-92ab-5d84-9a0f-6d4f2b7e1c11")
INFO = "http://lrs.learninglocker.net/define/extensions/info"
_EDLM = "https://xapi.edlm/profiles/edlm-lms/concepts"
_COURSE = "https://w3id.org/xapi/cmi5/activitytype/course"
_LMS = "http://id.tincanapi.com/activitytype/lms"

#: Verb -> word of its display.
_VERBS = {
    "http://id.tincanapi.com/verb/viewed": "viewed",
    "http://adlnet.gov/expapi/verbs/completed": "completed",
    "http://activitystrea.ms/schema/1.0/submit": "submitted",
    "http://activitystrea.ms/start": "started",
    "http://activitystrea.ms/create": "created",
    "http://activitystrea.ms/schema/1.0/join": "joined",
    f"{_EDLM}/verbs/enrolled": "enrolled",
    "http://activitystrea.ms/leave": "left",
}
_BY_WORD = {word: verb for verb, word in _VERBS.items()}

#: Module of Moodle -> type of its activities, as the plugin writes them.
_TYPES = {
    "assign": f"{_EDLM}/activity-types/assignment",
    "bigbluebuttonbn": "http://adlnet.gov/expapi/activities/meeting",
    "book": "http://id.tincanapi.com/activitytype/book",
    "chat": "http://id.tincanapi.com/activitytype/chat-channel",
    "choice": "http://adlnet.gov/expapi/activities/cmi.interaction",
    "facetoface": "https://w3id.org/xapi/acrossx/activities/face-to-face-discussion",
    "feedback": f"{_EDLM}/activity-types/feedback",
    "folder": "http://activitystrea.ms/collection",
    "forum": f"{_EDLM}/activity-types/forum",
    "imscp": _COURSE,
    "lesson": "http://adlnet.gov/expapi/activities/lesson",
    "page": "https://w3id.org/xapi/acrossx/activities/webpage",
    "questionnaire": "http://id.tincanapi.com/activitytype/survey",
    "quiz": "http://adlnet.gov/expapi/activities/assessment",
    "resource": "http://id.tincanapi.com/activitytype/resource",
    "scorm": "http://adlnet.gov/expapi/activities/module",
    "survey": "http://id.tincanapi.com/activitytype/survey",
    "url": "http://adlnet.gov/expapi/activities/link",
    "wiki": f"{_EDLM}/activity-types/wiki",
    "workshop": f"{_EDLM}/activity-types/workshop",
}
_TYPE_ELSE = "http://id.tincanapi.com/activitytype/resource"

_ID = r"'?(?P<{0}>\d+)'?"
_WHO = _ID.format("who")
_CM = r"course module (?:with )?id '?(?P<cm>\d+)'?"
_COURSE_ID = r"course (?:with )?(?:the )?id '?(?P<course>\d+)'?"


@dataclass(frozen=True)
class Line:
    """One line of a log, read: its number in the file, its minute, and the words that are used."""

    number: int
    at: datetime
    context: str
    event: str
    description: str


@dataclass(frozen=True)
class _Meaning:
    """What a description says: the verb, on the course or on an activity of `module`."""

    verb: str
    pattern: re.Pattern[str]
    module: str | None = None
    #: Part of the activity that the statement is about, as the plugin names it.
    part: tuple[str, str] | None = None


def _meaning(
    word: str, pattern: str, module: str | None = None, part: tuple[str, str] | None = None
) -> _Meaning:
    return _Meaning(_BY_WORD[word], re.compile(f"^The user with (?:the )?id {pattern}"), module, part)


_SUBMISSION = ("#submission", f"{_EDLM}/activity-types/submission")
_AFFECTED = _ID.format("who")
#: In order: the first that fits says it. What no line says is done to a learner, or is a tutor's work.
_MEANINGS = (
    _meaning("viewed", rf"{_WHO} viewed the section number '?\d+'? of the {_COURSE_ID}"),
    _meaning("viewed", rf"{_WHO} viewed the {_COURSE_ID}"),
    _meaning("viewed", rf"{_WHO} viewed the '(?P<module>\w+)' activity with {_CM}"),
    _meaning(
        "completed",
        rf"'?\d+'? updated the completion state for the {_CM} for the user with (?:the )?id {_AFFECTED}",
    ),
    _meaning("completed", rf"{_WHO} completed the {_COURSE_ID}"),
    _meaning(
        "submitted",
        rf"{_WHO} has submitted the submission with id '?\d+'? for the assignment with {_CM}",
        "assign",
        _SUBMISSION,
    ),
    _meaning(
        "completed", rf"{_WHO} has submitted the attempt with id '?\d+'? for the quiz with {_CM}", "quiz"
    ),
    _meaning("started", rf"{_WHO} has started the attempt with id '?\d+'? for the quiz with {_CM}", "quiz"),
    _meaning(
        "submitted", rf"{_WHO} (?:has )?submitted (?:the )?response for '(?P<module>\w+)' activity with {_CM}"
    ),
    _meaning(
        "created", rf"{_WHO} has created the discussion with id '?\d+'? in the forum with {_CM}", "forum"
    ),
    _meaning(
        "created",
        rf"{_WHO} has created the post with id '?\d+'? in the discussion with id '?\d+'? "
        rf"in the forum with {_CM}",
        "forum",
    ),
    _meaning("viewed", rf"{_WHO} has viewed the discussion with id '?\d+'? in the forum with {_CM}", "forum"),
    _meaning(
        "joined",
        rf"{_WHO} has joined a bigbluebutton meeting for the bigbluebuttonbn activity with {_CM}",
        "bigbluebuttonbn",
    ),
    _meaning(
        "enrolled",
        rf"'?\d+'? enrolled the user with (?:the )?id {_AFFECTED} using the enrolment method '\w+' "
        rf"in the {_COURSE_ID}",
    ),
    _meaning(
        "left",
        rf"'?\d+'? unenrolled the user with (?:the )?id {_AFFECTED} using the enrolment method '\w+' "
        rf"from the {_COURSE_ID}",
    ),
)
#: What only those who run a course do: they are not to be counted among its learners.
_STAFF = re.compile(
    rf"^The user with (?:the )?id {_WHO} (?:"
    r"(?:updated|created|deleted) (?:the '\w+' activity|section number)"
    r"|viewed the grading table|viewed the grader report|has graded|created a backup"
    r"|enrolled the user|unenrolled the user|updated the enrolment|assigned the role|unassigned the role"
    r"|has downloaded all the submissions|added the user with id '?\d+'? to the group)"
)
_NAMED = re.compile(rf"the '(?P<module>\w+)' activity with {_CM}")
_ASSIGNMENT = re.compile(rf"\bassignment(?: activity)? with {_CM}")
_ANY_CM, _ANY_COURSE = re.compile(_CM), re.compile(_COURSE_ID)


@dataclass
class Glossary:
    """What the lines of a log say together: the course, and each activity's module and title.

    A line on an activity names neither its course nor, often, its module: other lines do.
    """

    courses: Counter[int] = field(default_factory=Counter)
    modules: dict[int, str] = field(default_factory=dict)
    titles: dict[int, str] = field(default_factory=dict)
    course_titles: dict[int, str] = field(default_factory=dict)
    #: Numbers of the people who run the course, by what they did.
    staff: set[str] = field(default_factory=set)

    def learn(self, line: Line) -> None:
        """Take in what one line says."""
        title = line.context.partition(":")[2].strip()
        runs = _STAFF.match(line.description)
        if runs is not None and not _by_oneself(line.description):
            self.staff.add(runs["who"])
        course = _ANY_COURSE.search(line.description)
        cm = _ANY_CM.search(line.description)
        if course is not None:
            self.courses[int(course["course"])] += 1
            if title and cm is None:
                self.course_titles.setdefault(int(course["course"]), unescape(title))
        if cm is None:
            return
        number = int(cm["cm"])
        if title:
            self.titles.setdefault(number, unescape(title))
        named = _NAMED.search(line.description)
        if named is not None:
            self.modules[number] = named["module"]
        elif _ASSIGNMENT.search(line.description):
            self.modules.setdefault(number, "assign")

    @property
    def course(self) -> int | None:
        """The course that the log is about: the one that most lines name; None when none does."""
        most = self.courses.most_common(1)
        return most[0][0] if most else None


#: Lines of a file that say the same in one minute -> how many so far.
Alike = defaultdict[tuple[datetime, str], int]


@dataclass(frozen=True)
class Site:
    """The platform that a log comes from; `course_iri` as the plugin writes it."""

    address: str
    course_iri: Callable[[int], str]


def convert(line: Line, glossary: Glossary, site: Site) -> dict[str, Any] | None:
    """Return what a line becomes, without its id; None for what says nothing of a learner.

    An activity whose module no line names, and a line without course in a log without any, say too little.
    """
    for meaning in _MEANINGS:
        found = meaning.pattern.match(line.description)
        if found is not None:
            break
    else:
        return None
    said = found.groupdict()
    course = int(said["course"]) if said.get("course") else glossary.course
    if course is None:
        return None
    held = {
        "id": site.course_iri(course),
        "definition": _definition(_COURSE, glossary.course_titles.get(course)),
    }
    parents = [held]
    if said.get("cm"):
        number = int(said["cm"])
        module = said.get("module") or meaning.module or glossary.modules.get(number)
        if module is None:
            return None
        kind = _TYPES.get(module, _TYPE_ELSE)
        about = {
            "id": f"{site.address}/mod/{module}/view.php?id={number}",
            "definition": _definition(kind, glossary.titles.get(number)),
        }
        if meaning.part is not None:
            suffix, part_type = meaning.part
            parents = [about, held]
            about = {"id": f"{about['id']}{suffix}", "definition": {"type": part_type}}
    else:
        about, parents = held, []
    return {
        "actor": {"account": {"homePage": site.address, "name": said["who"]}},
        "verb": {"id": meaning.verb, "display": {"en": _VERBS[meaning.verb]}},
        "object": about,
        "context": {
            "contextActivities": {
                "category": [{"id": site.address, "definition": {"type": _LMS}}],
                **({"parent": parents} if parents else {}),
            },
            "extensions": {INFO: {"source": "moodle log export"}},
        },
        "timestamp": line.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }


def statements(
    lines: Iterable[Line], glossary: Glossary, site: Site, alike: Alike | None = None
) -> Iterator[tuple[Line, dict[str, Any] | None]]:
    """Yield each line and its statement, with an id of its own.

    The id: site, minute, description, and the rank among lines of that minute that say the same, so that
    a file read twice, in either language, or two that overlap by whole minutes, write nothing twice.
    `alike`: ranks of the lines before, for a file read in several goes.
    """
    alike = defaultdict(int) if alike is None else alike
    for line in lines:
        made = convert(line, glossary, site)
        if made is not None:
            key = (line.at, line.description)
            alike[key] += 1
            name = "\n".join((site.address, made["timestamp"], line.description, str(alike[key])))
            made["id"] = str(uuid.uuid5(_NAMESPACE, name))
        yield line, made


def unmatched(made: Iterable[tuple[Any, datetime]], there: Mapping[tuple[Any, datetime], int]) -> list[bool]:
    """Say of each statement, as (what it counts for, instant), whether no other source has it already.

    `there`: how many of the same the store has from elsewhere, by whole minute: a log gives no second. One
    there answers for one line, no more: two visits in a minute, one of them known, leave one.
    """
    left = dict(there)
    return [not claim(left, said, at) for said, at in made]


def claim(left: dict[tuple[Any, datetime], int], said: Any, at: datetime) -> bool:
    """Say whether another source has this statement, and count it off: see `unmatched`."""
    key = (said, at.replace(second=0, microsecond=0))
    known = left.get(key, 0)
    if known:
        left[key] = known - 1
    return known > 0


def _by_oneself(description: str) -> bool:
    """Say whether somebody enrolled: done by and to the same person, it is no tutor's work."""
    numbers = re.findall(r"user with (?:the )?id '?(\d+)'?", description)
    return len(numbers) > 1 and len(set(numbers)) == 1


def _definition(kind: str, title: str | None) -> dict[str, Any]:
    return {"type": kind, **({"name": {"und": title}} if title else {})}
