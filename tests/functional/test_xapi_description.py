"""The store's own description: complete, public, true; and requests drawn from it that break nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis import checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    missing_required_header,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from sqlalchemy import Engine

from tests.factories.statements import headers, statement
from tool_config.database import transaction
from xapi import alternate, api, auth, description, filters
from xapi.statement import parse

DESCRIBED = description.describe("https://estime.test", "0")
PATH = "/xapi/openapi.json"
SOAKING = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
#: Of each operation.
EXAMPLES = 400 if SOAKING else 4
CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    missing_required_header,
    unsupported_method,
    ignored_auth,
]
SQLITE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
def key(engine: Engine, silo: int, clock: Any) -> dict[str, str]:
    with transaction(engine, silo) as conn:
        return headers(auth.issue_key(conn, silo, ["all"], now=clock()))


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield resource, METHOD and description of each operation."""
    for path, methods in DESCRIBED["paths"].items():
        for method, operation in methods.items():
            yield path.removeprefix("/"), method.upper(), operation


def validator(name: str) -> Any:
    return jsonschema_rs.validator_for(
        {"$ref": f"#/components/schemas/{name}", "components": DESCRIBED["components"]}
    )


# --- what it says ----------------------------------------------------------------------------------------


@SQLITE
def test_anybody_reads_it(client: Any) -> None:
    answer = client.get(PATH, headers={"Origin": "https://content.test"})
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json["openapi"] == "3.1.0"
    assert answer.json["servers"] == [{"url": "https://estime.test/xapi"}]
    assert answer.json["paths"].keys() == DESCRIBED["paths"].keys()
    assert client.post(PATH, headers={"X-Experience-API-Version": "1.0.3"}).status_code in (401, 405)


def test_it_has_every_resource_method_scope_and_parameter() -> None:
    described = {(resource, method): operation for resource, method, operation in operations()}
    served = {(name, method) for name, methods in api.RESOURCES.items() for method in methods}
    served |= {(name, "HEAD") for name, method in served if method == "GET"}
    assert described.keys() == served
    for (resource, method), operation in described.items():
        needed = [] if resource == "about" else sorted(auth.RIGHTS[resource, method.replace("HEAD", "GET")])
        assert [scope for one in operation["security"] for scope in one["key"]] == needed
        if resource != "about":
            assert {"400", "401", "403"} <= operation["responses"].keys()
        assert ("requestBody" in operation) == (method in ("PUT", "POST"))
        assert all(one["description"] for one in operation["parameters"])
    names = {one["name"] for one in described["statements", "GET"]["parameters"] if one["in"] == "query"}
    assert names == {*filters.FILTERS, "statementId", "voidedStatementId"}
    posted = {name for name in api.RESOURCES if "POST" in api.RESOURCES[name]}
    for resource in posted:
        operation = described[resource, "POST"]
        assert alternate.FORM in operation["requestBody"]["content"]
        assert "method" in {one["name"] for one in operation["parameters"]}


STATEMENTS = [
    statement(),
    statement(actor={"objectType": "Group", "member": [{"mbox": "mailto:a@b.test"}]}),
    statement(
        object={"objectType": "StatementRef", "id": "12345678-1234-5678-1234-567812345678"},
        context={"language": "fr", "contextActivities": {"parent": {"id": "http://x.test/p"}}},
        result={
            "score": {"scaled": -1, "raw": 3},
            "duration": "PT1H",
            "extensions": {"http://x.test/e": None},
        },
    ),
    statement(
        object={
            "objectType": "SubStatement",
            "actor": {"openid": "http://x.test/me"},
            "verb": {"id": "http://x.test/v"},
            "object": {"id": "http://x.test/a", "definition": {"interactionType": "choice", "choices": []}},
        },
        attachments=[
            {
                "usageType": "http://x.test/u",
                "display": {"fr-FR": "Une"},
                "contentType": "text/plain",
                "length": 1,
                "sha2": "0" * 64,
                "fileUrl": "http://x.test/f",
            }
        ],
    ),
]
NO_STATEMENTS = [
    {},
    statement(actor=None),
    statement(extra=1),
    statement(verb={"id": "no iri"}),
    statement(actor={"mbox": "a@b.test"}),
    statement(actor={"objectType": "Group"}),
    statement(result={"score": {"scaled": 2}}),
    statement(object={"objectType": "Activity"}),
    statement(context={"registration": "1"}),
    statement(attachments=[{}]),
]


def test_its_statement_is_the_one_that_is_accepted() -> None:
    described = validator("Statement")
    for one in STATEMENTS:
        parse(one)
        described.validate(one)
    for bad in NO_STATEMENTS:
        with pytest.raises(Exception, match=r"."):
            parse(bad)
        assert not described.is_valid(bad), bad


# --- what is drawn from it -------------------------------------------------------------------------------


@SQLITE
@pytest.mark.parametrize("resource", api.RESOURCES)
def test_nothing_drawn_from_it_breaks_the_store(app: Any, key: dict[str, str], resource: str) -> None:
    """Requests good and bad, as schemathesis makes them: answered as described, never a 500."""
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    loaded = schemathesis.openapi.from_wsgi(PATH, app).include(path=f"/{resource}")
    given = {"Authorization": key["Authorization"]}
    drawn = 0
    for found in loaded.get_all_operations():
        operation = found.ok()

        @hypothesis.settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=not SOAKING,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        )
        @hypothesis.given(operation.as_strategy())
        def play(case: Any) -> None:
            nonlocal drawn
            drawn += 1
            case.call_and_validate(headers=given, checks=CHECKS)

        play()
    assert drawn >= (2 if resource == "about" else EXAMPLES)
