"""What holds now in a community: read from the live settings and the store, never typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import Column, ColumnElement, Connection, Table, func, select

from lti_tool.compliance import institution
from lti_tool.compliance.institution import FIELDS
from lti_tool.formatting import number
from lti_tool.privacy import retention
from lti_tool.profile_tables import profile_grant, profile_provider
from lti_tool.tables import person, survey
from tool_config import platforms, silos
from tool_config.rules import Rules
from tool_config.settings import Settings
from tool_config.standards import Standard
from tool_config.tables import administrator, lrs_key
from xapi import datasets, forward
from xapi.tables import course, membership, statement

#: Kind of `privacy.retention` -> what it is, and from when it is kept.
_KINDS = {
    "traces": (
        "Traces, et ce qui en est tiré personne par personne",
        "{days} jours après la fin de la session ; rien n’est purgé tant que cette fin n’est pas connue",
    ),
    "answers": (
        "Réponses aux questionnaires, à un nom",
        "{days} jours après la clôture ; les chiffres publiés restent",
    ),
    "comments": ("Commentaires", "{days} jours après la clôture"),
    "imports": ("Lignes refusées des fichiers importés", "{days} jours après l’import"),
    "looks": ("Journal des connexions et des consultations", "{days} jours"),
}  # fmt: skip

#: Stands where only the institution knows, and has not said.
BLANK = "………………………………………"


@dataclass(frozen=True)
class Kept:
    """How long a kind of data is kept, in words."""

    kind: str
    how_long: str


@dataclass(frozen=True)
class Facts:
    """What the documents say; `said`: the particulars of the institution."""

    community: str
    made_at: datetime
    release: str
    said: Mapping[str, str]
    #: Thresholds: one course, across communities.
    k: int
    k_across: int
    #: Hosts of the platforms whose courses open the tool.
    platforms: tuple[str, ...]
    #: Hosts that statements are copied to, and whether answers to questionnaires go too.
    copies: tuple[tuple[str, bool], ...]
    #: Scopes of the living keys of the store, and how many keys have each.
    keys: Mapping[str, int]
    #: sqlite or postgresql
    engine: str
    redis: bool
    host: str
    mail_server: str
    #: OpenID Connect provider of those who have no course; "" none.
    sign_in: str
    people: int
    sessions: int
    traces: int
    first_trace: date | None
    administrators: int
    profiles: Mapping[str, int]
    #: pseudonymous, anonymous -> questionnaires opened
    questionnaires: Mapping[str, int]
    #: Datasets with rows, and whether their rows are of people.
    datasets: tuple[tuple[Standard, bool], ...]
    kept: tuple[Kept, ...]
    backup_days: int

    def of(self, field: str) -> str:
        """Return a particular of the institution, or dots to be written over."""
        return self.said.get(field) or BLANK

    @property
    def missing(self) -> tuple[str, ...]:
        """Particulars that the institution has not said."""
        return tuple(field.label for field in FIELDS if not self.said.get(field.id))


def read(conn: Connection, silo_id: int, *, settings: Settings, rules: Rules, now: datetime) -> Facts:
    """Read the facts of a silo."""
    owner = silos.get(conn, silo_id)

    known = datasets.known(conn, silo_id)
    present = datasets.counts(conn, silo_id)
    first = conn.scalar(select(func.min(statement.c.stored)).where(statement.c.silo_id == silo_id))
    provider = conn.scalar(select(profile_provider.c.issuer).where(profile_provider.c.silo_id == silo_id))
    zone = ZoneInfo(owner.time_zone)
    return Facts(
        community=owner.name,
        made_at=now.astimezone(zone),
        release=version("estime"),
        said=institution.read(conn, silo_id),
        k=rules.disclosure.course,
        k_across=rules.disclosure.across,
        platforms=tuple(sorted({_host(one.issuer) for one in platforms.of_silo(conn, silo_id)})),
        copies=tuple((_host(one.url), one.with_answers) for one in forward.list_all(conn, silo_id)),
        keys=_by(conn, silo_id, lrs_key.c.scopes, lrs_key.c.revoked_at.is_(None)),
        engine="postgresql" if settings.is_server else "sqlite",
        redis=bool(settings.redis_url),
        host=_host(settings.public_url),
        mail_server=settings.smtp_host,
        sign_in=_host(provider) if provider else "",
        people=max(_count(conn, silo_id, person), len(_members(conn, silo_id))),
        sessions=_count(conn, silo_id, course, course.c.course_id >= 0),
        traces=_count(conn, silo_id, statement),
        first_trace=None if first is None else first.astimezone(zone).date(),
        administrators=_count(conn, silo_id, administrator),
        profiles=_by(conn, silo_id, profile_grant.c.profile),
        questionnaires=_by(conn, silo_id, survey.c.mode),
        datasets=tuple(
            (known[name], bool(known[name].of_role("person"))) for name in known if name in present
        ),
        kept=_kept(conn, silo_id),
        backup_days=settings.backup_days,
    )


def _kept(conn: Connection, silo_id: int) -> tuple[Kept, ...]:
    """Return how long each kind of data is kept in the silo, in words."""
    return tuple(
        Kept(_KINDS[rule.kind][0], _KINDS[rule.kind][1].format(days=number(rule.days)))
        for rule in retention.rules(conn, silo_id)
    )


def _count(conn: Connection, silo_id: int, table: Table, *where: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(table).where(table.c.silo_id == silo_id, *where)
    return int(conn.scalar(query) or 0)


def _by(conn: Connection, silo_id: int, column: Column[str], *where: ColumnElement[bool]) -> dict[str, int]:
    query = select(column, func.count()).where(column.table.c.silo_id == silo_id, *where).group_by(column)
    return {str(name): int(number) for name, number in conn.execute(query)}


def _members(conn: Connection, silo_id: int) -> list[str]:
    return list(conn.scalars(select(membership.c.actor).where(membership.c.silo_id == silo_id).distinct()))


def _host(url: str) -> str:
    return urlsplit(url).hostname or url
