"""Pages as somebody's browser opens them: a course with traces, and a reader with a launch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from sqlalchemy import Engine, insert

from lti_tool import sessions
from lti_tool.tables import person
from tests.factories import traces
from tool_config.database import transaction
from xapi import tables as t
from xapi.identity import course_id
from xapi.ingest import ingest
from xapi.rollup import refresh
from xapi.statement import account_key

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
MODULES = ("Concepts en contexte", "Sens et enjeux", "Pour réfléchir")
PUBLIC = "https://estime.test"


def actor(name: str) -> str:
    """Return the key of a learner of the campus."""
    return account_key(traces.SITE, name)


class _Form(HTMLParser):
    """The fields of a page's forms, as a browser would send them back."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        unticked = values.get("type") == "checkbox" and "checked" not in values
        if tag == "input" and values.get("name") and not unticked:
            self.fields.setdefault(str(values["name"]), []).append(values.get("value") or "")


def fields(page: str) -> dict[str, list[str]]:
    """Return the fields of a page's forms, as a browser would send them back."""
    parser = _Form()
    parser.feed(page)
    return parser.fields


@dataclass(frozen=True)
class Reader:
    """Somebody's browser, with one launch open."""

    app: Flask
    launch_id: str
    secret: str

    def headers(self) -> dict[str, str]:
        return {"Cookie": f"{sessions.cookie_name(self.launch_id)}={self.secret}"}

    def get(self, path: str, **more: Any) -> Any:
        return self.app.test_client(use_cookies=False).get(
            f"/c/{self.launch_id}{path}",
            base_url=PUBLIC,
            headers={**self.headers(), **more.pop("headers", {})},
            **more,
        )

    def page(self, path: str, status: int = 200) -> str:
        """Return the text of a page, with its markup."""
        answer = self.get(path)
        assert answer.status_code == status, answer.get_data(as_text=True)[:2000]
        return str(answer.get_data(as_text=True))

    def post(self, path: str, data: Mapping[str, Any], token: str | None = None, **more: Any) -> Any:
        """Send a form as the page at hand would, with its token."""
        known = token if token is not None else self.token()
        return self.app.test_client(use_cookies=False).post(
            f"/c/{self.launch_id}{path}",
            base_url=PUBLIC,
            headers={**self.headers(), "Origin": PUBLIC},
            data={**data, "csrf_token": known},
            **more,
        )

    def entered(self) -> str:
        """Say that the information was read, and return where the launch leads."""
        self.post("/information", {})
        answer = self.get("/")
        assert answer.status_code == 303
        return str(answer.headers["Location"])

    def token(self) -> str:
        """Return the token of the reader's first page."""
        where = self.get("/").headers["Location"]
        answer = self.app.test_client(use_cookies=False).get(where, base_url=PUBLIC, headers=self.headers())
        found = re.search(r'data-large="([0-9a-f]{64})"', answer.get_data(as_text=True))
        assert found
        return found[1]


def reader(
    app: Flask, engine: Engine, silo: int, role: str, course: int, who: str = "formateur", locale: str = "fr"
) -> Reader:
    """Open a launch for somebody."""
    with transaction(engine, silo) as conn:
        opened = sessions.open_launch(
            conn,
            silo,
            {
                "issuer": traces.SITE,
                "client_id": "client",
                "deployment_id": "1",
                "actor": actor(who),
                "role": role,
                "course_id": course,
                "locale": locale,
            },
            now=NOW,
        )
    return Reader(app, opened.launch_id, opened.secret)


def add_course(engine: Engine, silo: int, number: int = 2, title: str = "Piloter") -> int:
    """Make a course that nobody has touched yet, and return its key."""
    iri = f"{traces.SITE}/course/view.php?id={number}"
    key = course_id(silo, iri)
    with transaction(engine, silo) as conn:
        conn.execute(
            insert(t.course).values(
                silo_id=silo, course_id=key, iri=iri, title=title, label="Session 2026-3", created_at=NOW
            )
        )
    return key


def add_people(
    engine: Engine, silo: int, course: int, names: Mapping[str, str], role: str = "trainee"
) -> None:
    """Enrol people: {sub: name}."""
    with transaction(engine, silo) as conn:
        for sub, name in names.items():
            conn.execute(
                insert(person).values(
                    silo_id=silo, actor=actor(sub), issuer=traces.SITE, sub=sub, name=name,
                    email=f"{sub}@ac-poitiers.fr", given_name=name.split()[0], created_at=NOW,
                )
            )  # fmt: skip
            conn.execute(
                insert(t.membership).values(
                    silo_id=silo, course_id=course, actor=actor(sub), role=role, source="launch",
                    since=NOW - timedelta(days=40),
                )
            )  # fmt: skip


def statements(
    who: str, modules: int, days_ago: int, number: int = 2, site_activity: int = 100
) -> Iterable[dict[str, Any]]:
    """Yield what somebody did: `modules` finished (two pages each), the last one `days_ago`."""
    for rank in range(1, modules + 1):
        at = NOW - timedelta(days=days_ago + 2 * (modules - rank))
        parents = [traces.section(rank, MODULES[rank - 1]), traces.course(number)]
        for page in (1, 2):
            target = traces.page(100 * rank + page, f"Étape {rank}.{page}")
            yield traces.statement(who, traces.VIEWED, target, at, parents=parents)
            at += timedelta(minutes=12)
            yield traces.statement(who, traces.COMPLETED, target, at, parents=parents)
            at += timedelta(minutes=3)


def take_in(
    engine: Engine, silo: int, sent: Iterable[Mapping[str, Any]], now: Callable[[], datetime]
) -> None:
    """Ingest statements and roll them up."""
    with transaction(engine, silo) as conn:
        ingest(conn, silo, list(sent), now=now())
    settle(engine, silo, now)


def settle(engine: Engine, silo: int, now: Callable[[], datetime]) -> None:
    """Roll up until nothing is pending, as the worker does."""
    while True:
        with transaction(engine, silo) as conn:
            if not refresh(conn, silo, now=now()):
                return
