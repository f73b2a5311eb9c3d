"""What people do in the sandbox: a fixed seed and today's date give every deed, in order of time.

Each trainee has a plan (when each module is begun, when it is done, after which nothing moves any more),
spread over visits on plausible days and hours; what would happen after `now` is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from lti_tool.sandbox.people import SEED, Person
from lti_tool.sandbox.programme import Activity, Module, Session, is_holiday

_ZONE = ZoneInfo("Europe/Paris")
#: Hours at which a visit begins, most likely ones repeated.
_HOURS = (7, 8, 9, 10, 11, 12, 12, 13, 13, 14, 15, 16, 17, 17, 18, 18, 19, 20, 20, 21, 21, 22)


#: Probability of coming to a gathering.
_PRESENCE = {
    "absent": 0.0,
    "late_enrolled": 0.0,
    "left": 0.0,
    "early_stop": 0.35,
    "stalled": 0.6,
    "slow": 0.75,
}


@dataclass(frozen=True)
class Deed:
    """One thing done; `kind` names an event of Moodle, `facts` what that event says besides."""

    at: datetime
    person: Person
    session: Session
    kind: str
    activity: Activity | None = None
    module: Module | None = None
    facts: dict[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class _Plan:
    """When a module is begun and ended, and how many of its activities are done (None: all)."""

    begins: date
    ends: date
    done: int | None = None


def deeds(session: Session, people: Iterable[Person], now: datetime) -> list[Deed]:
    """Return what the people of a session did from their enrolment to `now`, sorted by time."""
    members = [p for p in people if p.site == session.site.key and session.course_id in p.courses]
    manager = next(p for p in members if p.role == "admin")
    tutors = [p for p in members if p.role == "tutor"]
    found = list(_built(session, manager))
    for person in members:
        random = Random(f"{SEED}/{session.site.key}/{session.course_id}/{person.user_id}")
        if person.role == "trainee":
            found += _enrolled(session, person, manager, now, random)
            found += _Learning(session, person, tutors, random).run(now.astimezone(_ZONE).date())
        elif person.role == "tutor":
            found += _enrolled(session, person, manager, now, random)
            found += _tutoring(session, person, now.astimezone(_ZONE).date(), random)
    return sorted((d for d in found if d.at <= now), key=lambda d: (d.at, d.person.user_id))


def present(session: Session, people: Iterable[Person], today: date) -> dict[str, list[Person]]:
    """Return who attended each gathering already held, by its title."""
    held: dict[str, list[Person]] = {}
    for gathering in session.gatherings:
        if gathering.day >= today:
            continue
        there = []
        for person in people:
            if person.role != "trainee" or person.site != session.site.key:
                continue
            if session.course_id not in person.courses:
                continue
            random = Random(f"{SEED}/{gathering.title}/{session.course_id}/{person.user_id}")
            if random.random() < _PRESENCE.get(person.profile, 0.92):
                there.append(person)
        held[gathering.title] = there
    return held


def _built(session: Session, manager: Person) -> Iterator[Deed]:
    """Yield the making of the course, activity by activity: it tells the tool of what nobody opened yet."""
    at = _moment(session.starts_on - timedelta(days=21), 9, Random(f"{SEED}/{session.course_id}"))
    for module in session.modules:
        for activity in module.activities:
            at += timedelta(minutes=4)
            yield Deed(at, manager, session, "module_created", activity, module)


def _enrolled(
    session: Session, person: Person, manager: Person, now: datetime, random: Random
) -> Iterator[Deed]:
    if person.profile == "late_enrolled":
        day = now.astimezone(_ZONE).date() - timedelta(days=1)
    else:
        day = session.starts_on - timedelta(days=random.randint(3, 10))
    yield Deed(
        _moment(day, random.choice((9, 10, 14)), random), person, session, "enrolled", facts={"by": manager}
    )
    if person.profile == "left":
        gone = session.starts_on + timedelta(weeks=6)
        yield Deed(_moment(gone, 11, random), person, session, "left", facts={"by": manager})


def _moment(day: date, hour: int, random: Random) -> datetime:
    at = datetime.combine(day, time(hour, random.randrange(60), random.randrange(60)), _ZONE)
    return at.astimezone(UTC)


class _Learning:
    """One trainee's way through one session."""

    def __init__(self, session: Session, person: Person, tutors: list[Person], random: Random) -> None:
        self.session = session
        self.person = person
        self.tutors = tutors
        self.random = random
        self.ability = random.betavariate(6, 2.6)
        self.attempts = 0
        self.found: list[Deed] = []

    def run(self, today: date) -> list[Deed]:
        """Return every deed of the trainee, some of them possibly after today."""
        if self.person.profile in ("absent", "late_enrolled"):
            return []
        agenda: dict[date, list[tuple[Module, Activity, int]]] = {}
        plans = self._plans(today)
        last = None
        for module, plan in plans:
            for activity, visit, day in self._spread(module, plan):
                if last is not None and day < last:
                    day = last
                last = day
                agenda.setdefault(day, []).append((module, activity, visit))
        stop = self._stop(today)
        for day in self._lingering(plans, stop, today):
            agenda.setdefault(day, [])
        for day in sorted(agenda):
            if stop is None or day <= stop:
                self._visit(day, agenda[day])
        self._finish(today)
        return self.found

    # --- plans ---------------------------------------------------------------------------------------

    def _plans(self, today: date) -> list[tuple[Module, _Plan]]:
        profile, random = self.person.profile, self.random
        plans: list[tuple[Module, _Plan]] = []
        previous = self.session.starts_on
        latest = today - timedelta(days=random.randint(16, 20))
        for module in self.session.modules[1:]:
            length = (module.closes_on - module.opens_on).days + 1
            share = {"fast": 0.4, "finished": 0.6, "slow": 1.6}.get(profile, 0.9)
            begins = max(module.opens_on + timedelta(days=random.randint(0, 4)), previous)
            if profile == "slow":
                begins += timedelta(days=random.randint(4, 9))
            ends = begins + timedelta(days=max(4, int(length * share * random.uniform(0.8, 1.1))))
            done: int | None = None
            if profile in ("stuck", "stalled"):  # nothing moves in module 3 since two weeks and more
                ends = min(ends, latest - timedelta(days=4 * (3 - module.number)))
                begins = min(begins, ends - timedelta(days=3))
                done = random.randint(1, 2) if module.number == 3 else None
            plans.append((module, _Plan(begins, ends, done)))
            previous = ends if profile != "fast" else begins + timedelta(days=3)
            if done is not None:
                break
        return plans

    def _stop(self, today: date) -> date | None:
        """Return the last day on which anything moves, None when it still does."""
        if self.person.profile == "early_stop":
            return min(self.session.modules[1].opens_on + timedelta(days=8), today - timedelta(days=20))
        if self.person.profile == "left":
            return self.session.starts_on + timedelta(weeks=4)
        if self.person.profile == "stalled":
            return today - timedelta(days=16)
        return None

    def _spread(self, module: Module, plan: _Plan) -> Iterator[tuple[Activity, int, date]]:
        chosen = [a for a in module.activities if a.required or self.random.random() < 0.72]
        if plan.done is not None:
            chosen = [a for a in chosen if a.required][: plan.done]
        steps = [(a, visit) for a in chosen for visit in range(1, a.visits + 1)]
        span = max(1, (plan.ends - plan.begins).days)
        for rank, (activity, visit) in enumerate(steps):
            offset = span * (rank + self.random.uniform(0, 0.6)) / len(steps)
            yield (
                activity,
                visit,
                max(module.opens_on, self._settled(plan.begins + timedelta(days=int(offset)))),
            )

    def _settled(self, day: date) -> date:
        """Move most of what falls on a weekend or in the holidays to the next ordinary day."""
        if self.person.profile in ("stuck", "stalled"):  # their plan leaves no room for a pause
            return day
        if is_holiday(day) and self.random.random() < 0.55:
            while is_holiday(day):
                day += timedelta(days=1)
            day += timedelta(days=self.random.randint(0, 3))
        if day.weekday() >= 5 and self.random.random() < 0.7:
            day += timedelta(days=7 - day.weekday())
        return day

    def _lingering(self, plans: list[tuple[Module, _Plan]], stop: date | None, today: date) -> Iterator[date]:
        """Yield the days of visits without a new activity: a look at the course, at the forum."""
        rate = {"stuck": 1.3, "weekly": 0.9, "fast": 0.8, "finished": 0.35, "slow": 0.3}.get(
            self.person.profile, 0.25
        )
        first = plans[0][1].begins
        end = min(today, stop) if stop else today
        if self.person.profile == "finished":
            end = min(end, plans[-1][1].ends)
        week = first
        while week <= end:
            count = int(rate) + (self.random.random() < rate - int(rate))
            for _ in range(count):
                day = week + timedelta(days=self.random.randrange(7))
                quiet = 0.3 if is_holiday(day) else 0.5 if day.weekday() >= 5 else 1.0
                if day <= end and self.random.random() < quiet:
                    yield day
            week += timedelta(days=7)

    # --- visits --------------------------------------------------------------------------------------

    def _visit(self, day: date, steps: list[tuple[Module, Activity, int]]) -> None:
        at = _moment(day, self.random.choice(_HOURS), self.random)
        self._say(at, "login")
        at += timedelta(seconds=self.random.randint(2, 9))
        self._say(at, "course_viewed")
        if not steps:
            at = self._look_around(at)
        for module, activity, visit in steps:
            at += timedelta(seconds=self.random.randint(8, 70))
            at = self._work(at, module, activity, visit)
        if self.random.random() < 0.35:
            self._say(at + timedelta(seconds=self.random.randint(20, 200)), "logout")

    def _look_around(self, at: datetime) -> datetime:
        general = self.session.modules[0]
        at += timedelta(seconds=self.random.randint(10, 60))
        self._say(at, "viewed", general.activities[0], general)
        if self.random.random() < 0.6:
            first = self.session.modules[1]
            at += timedelta(seconds=self.random.randint(40, 400))
            self._say(at, "viewed", self.random.choice(first.activities[1:5]), first)
            at += timedelta(seconds=self.random.randint(40, 400))
            self._say(at, "course_viewed")
        return at

    def _work(self, at: datetime, module: Module, activity: Activity, visit: int) -> datetime:
        self._say(at, "viewed", activity, module)
        # What one visit takes: never long enough to pass for a pause (30 minutes) at one go.
        left = activity.minutes / activity.visits * self.random.lognormvariate(0, 0.35)
        while left > 18:
            stretch = self.random.uniform(5, 18)
            at += timedelta(minutes=stretch)
            left -= stretch
            self._say(at, "viewed", activity, module)
        at += timedelta(minutes=max(0.8, left))
        if visit < activity.visits:
            return at
        at = getattr(self, f"_end_{activity.kind}", self._end_page)(at, module, activity)
        at += timedelta(seconds=1)
        if self.random.random() < 0.03:
            self._say(at - timedelta(seconds=1), "uncompleted", activity, module)
        self._say(at, "module_completed", activity, module)
        return at

    def _end_page(self, at: datetime, module: Module, activity: Activity) -> datetime:
        return at

    def _end_quiz(self, at: datetime, module: Module, activity: Activity) -> datetime:
        for attempt in range(1, 4):
            begun = at
            marks = [self.random.random() < self._chance(module, attempt) for _ in range(5)]
            self.attempts += 1
            number = int(self.person.user_id) * 1000 + self.attempts
            self._say(begun, "quiz_started", activity, module, attempt=attempt, number=number)
            at = begun + timedelta(seconds=self.random.randint(150, 700))
            spent = int((at - begun).total_seconds())
            facts = {"attempt": attempt, "number": number, "marks": tuple(marks), "seconds": spent}
            self._say(at, "quiz_submitted", activity, module, **facts)
            for question, right in enumerate(marks, 1):
                self._say(at, "quiz_answered", activity, module, **facts, question=question, right=right)
            at += timedelta(seconds=self.random.randint(5, 20))
            facts = {"attempt": attempt, "number": number, "by": self.person}
            self._say(at, "quiz_reviewed", activity, module, **facts)
            if sum(marks) >= 3:
                break
            at += timedelta(seconds=self.random.randint(30, 200))
        return at

    def _end_scorm(self, at: datetime, module: Module, activity: Activity) -> datetime:
        self._say(at, "scorm_launched", activity, module)
        at += timedelta(minutes=self.random.uniform(3, 12))
        raw = round(100 * min(1.0, self.random.uniform(0.75, 1.15) * self._chance(module, 1)))
        self._say(at, "scorm_scored", activity, module, raw=raw)
        self._say(at, "scorm_status", activity, module, passed=raw >= 50)
        return at

    def _end_forum(self, at: datetime, module: Module, activity: Activity) -> datetime:
        discussion = activity.cmid * 10 + self.random.randint(1, 4)
        self._say(at, "discussion_viewed", activity, module, discussion=discussion)
        at += timedelta(minutes=self.random.uniform(2, 9))
        kind = "discussion_created" if self.random.random() < 0.3 else "replied"
        self._say(at, kind, activity, module, discussion=discussion)
        return at

    def _end_assign(self, at: datetime, module: Module, activity: Activity) -> datetime:
        self._say(at, "submitted", activity, module)
        marked = at + timedelta(days=self.random.uniform(2, 9))
        raw = round(20 * min(1.0, max(0.25, self.random.gauss(self._chance(module, 1), 0.1)))) / 1.0
        self._say(marked, "assign_scored", activity, module, raw=raw, by=self.random.choice(self.tutors))
        return at

    def _end_feedback(self, at: datetime, module: Module, activity: Activity) -> datetime:
        self._say(at, "feedback_submitted", activity, module)
        mean = {1: 4.2, 2: 4.0, 3: 2.9, 4: 3.9, 5: 4.1}[module.number]
        for item in (1, 2, 3):
            rate = min(5, max(1, round(self.random.gauss(mean, 0.8))))
            self._say(at, "feedback_answered", activity, module, item=item, rate=rate)
        return at

    def _finish(self, today: date) -> None:
        if self.person.profile != "finished":
            return
        done = [d.at for d in self.found if d.kind == "module_completed"]
        end = max(done) + timedelta(minutes=2)
        if end.date() >= today:  # the last ones hand in this week: nobody finishes tomorrow
            return
        self._say(end, "course_completed")

    def _chance(self, module: Module, attempt: int) -> float:
        """Probability of a right answer: the third module is harder, a second attempt easier."""
        return min(0.97, self.ability * (0.78 if module.number == 3 else 1.0) + 0.12 * (attempt - 1))

    def _say(
        self,
        at: datetime,
        kind: str,
        activity: Activity | None = None,
        module: Module | None = None,
        **facts: object,
    ) -> None:
        self.found.append(Deed(at, self.person, self.session, kind, activity, module, facts))


def _tutoring(session: Session, person: Person, today: date, random: Random) -> Iterator[Deed]:
    """Yield a tutor's own traces: looks at the course and answers in the forums, every other day."""
    day = session.starts_on
    end = min(today, session.ends_on)
    forums = [(m, a) for m in session.modules for a in m.activities if a.kind == "forum"]
    while day <= end:
        if day.weekday() < 5 and random.random() < (0.1 if is_holiday(day) else 0.4):
            at = _moment(day, random.choice((8, 9, 13, 17)), random)
            yield Deed(at, person, session, "login")
            yield Deed(at + timedelta(seconds=6), person, session, "course_viewed")
            open_forums = [(m, a) for m, a in forums if m.opens_on <= day]
            module, forum = random.choice(open_forums)
            at += timedelta(minutes=random.uniform(1, 8))
            yield Deed(at, person, session, "viewed", forum, module)
            if random.random() < 0.4:
                facts: dict[str, object] = {"discussion": forum.cmid * 10 + random.randint(1, 4)}
                yield Deed(at + timedelta(minutes=4), person, session, "replied", forum, module, facts)
        day += timedelta(days=1)
