"""Launches of other families of platforms: the reference platform's shapes, and two more."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, select

from lti_tool.tables import launch, person
from tests.factories.platform import (
    CLAIM,
    INSTRUCTOR,
    LEARNER,
    MEMBERSHIP,
    Browser,
    FakePlatform,
    jwks_server,
)
from tests.factories.scene import in_mode
from tool_config.database import transaction
from tool_config.settings import Settings
from xapi.tables import actor_alias, course

_PERSON = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#"
_PLATFORM = f"{CLAIM}tool_platform"


@pytest.fixture
def settings(settings: Settings, engine: Engine, request: pytest.FixtureRequest) -> Settings:
    """Return the settings of both modes: SQLite alone, or PostgreSQL with Redis."""
    return in_mode(settings, engine, request)


#: What each platform says beside what the specification requires; and what it leaves out.
SHAPES: dict[str, dict[str, Any]] = {
    "reference": {
        "issuer": "https://lti-ri.example.org",
        "deployment": "1",
        "context": {"id": "5", "type": ["http://purl.imsglobal.org/vocab/lis/v2/course#CourseSection"]},
        "sub": "c1f7d2a0d4b1a5f7a2c1",
        "claims": {
            "aud": ["estime-client"],
            _PLATFORM: {
                "guid": "https://lti-ri.example.org/platforms/1",
                "name": "Reference",
                "version": "1",
            },
            f"{CLAIM}custom": {"myCustomValue": "123"},
            f"{CLAIM}role_scope_mentor": ["a62c52c02ba262003f5e"],
            f"{CLAIM}lis": {"person_sourcedid": "example.edu:71ee7e42", "course_section_sourcedid": "x"},
            "http://www.example.com/extension": {"color": "violet"},
            "middle_name": "Marcella",
            "picture": "https://lti-ri.example.org/avatar.jpg",
            "locale": "en-US",
        },
    },
    "canvas": {
        "issuer": "https://canvas.example.org",
        "deployment": "7000:4dde05e8ca1973bcca9bffc13e1548820eee93a3",
        "context": {
            "id": "4dde05e8ca1973bcca9bffc13e1548820eee93a3",
            "title": "Enseigner le calcul",
            "label": "CALC",
            "type": ["http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"],
            "errors": {"errors": {}},
        },
        "sub": "535fa085f22b4655f48cd5a36a9215f64c062838",
        "claims": {
            "azp": "estime-client",
            _PLATFORM: {"guid": "x:canvas-lms", "product_family_code": "canvas", "version": "cloud"},
            f"{CLAIM}lti1p1": {"user_id": "535fa085f22b4655f48c"},
            f"{CLAIM}launch_presentation": {
                "document_target": "iframe",
                "return_url": "https://canvas.example.org/courses/1/external_content/success",
                "locale": "fr-CA",
                "height": 400,
            },
            "https://www.instructure.com/placement": None,
            "errors": {"errors": {}},
        },
    },
    "brightspace": {
        "issuer": "https://brightspace.example.org",
        "deployment": "b7a3f1c2-9e0d-4c55-8a5a-0d8a2c1f6e77",
        "context": {"id": "6609", "title": "", "label": "", "type": None},
        "sub": "f1c0e1f4-5f6a-4e3b-9a86-4c5b1a0c2f11_169",
        "claims": {
            _PLATFORM: {"guid": "9d1f", "product_family_code": "desire2learn", "version": "20.26"},
            f"{CLAIM}launch_presentation": {"locale": "FR-CA__"},
            "http://www.brightspace.com": {"username": "sara", "context_id_history": "", "user_id": 169},
            "given_name": "",
            "family_name": "",
            "name": "",
            "email": "",
        },
    },
}


@pytest.fixture(params=sorted(SHAPES))
def shape(request: pytest.FixtureRequest) -> dict[str, Any]:
    return SHAPES[request.param]


@pytest.fixture
def platform(
    shape: dict[str, Any], clock: Any, settings: Settings, engine: Engine, silo: int
) -> Iterator[FakePlatform]:
    with jwks_server() as server:
        made = FakePlatform(
            server,
            clock,
            settings.public_url,
            issuer=shape["issuer"],
            deployment_id=shape["deployment"],
            context=shape["context"],
        )
        made.register(engine, silo, family="generic")
        yield made


def claims(shape: dict[str, Any], **changes: Any) -> dict[str, Any]:
    absent = {f"{CLAIM}ext": None, f"{CLAIM}launch_presentation": {}}
    return {"sub": shape["sub"], **absent, **shape["claims"], **changes}


def test_a_learner_and_a_tutor_open_their_pages(
    app: Any, settings: Settings, platform: FakePlatform, shape: dict[str, Any], engine: Engine, silo: int
) -> None:
    learner = Browser(app, settings.public_url)
    place = learner.opened(platform, **claims(shape, roles=[LEARNER, f"{_PERSON}Student"]))
    assert learner.get(learner.entered(place)).status_code == 200
    tutor = Browser(app, settings.public_url)
    said = claims(shape, roles=[INSTRUCTOR, f"{_PERSON}Instructor"], sub=str(uuid.uuid4()))
    place = tutor.opened(platform, **said)
    page = tutor.get(tutor.entered(place))
    assert page.status_code == 200
    assert (shape["context"].get("title") or "Session sans titre") in page.get_data(as_text=True)
    with transaction(engine, silo, write=False) as conn:
        found = conn.execute(select(course)).one()
        people = conn.execute(select(person.c.username, person.c.sub)).all()
        roles = sorted(conn.execute(select(launch.c.role)).scalars())
        aliases = conn.execute(select(actor_alias)).all()
    assert found.iri == f"{shape['issuer']}#context={shape['context']['id']}"
    assert found.label == (shape["context"].get("label") or None)
    assert {username for username, _ in people} == {None}
    assert shape["sub"] in {sub for _, sub in people}
    assert roles == ["trainee", "tutor"]
    # No username outside the claims of a family that has one: an address alone may be an alias.
    assert len(aliases) <= 1


def test_two_deployments_and_two_courses_stay_apart(
    app: Any, settings: Settings, platform: FakePlatform, shape: dict[str, Any], engine: Engine, silo: int
) -> None:
    platform.register(engine, silo, family="generic", deployment_id="another")
    visitor = Browser(app, settings.public_url)
    visitor.opened(platform, **claims(shape))
    visitor.opened(platform, **claims(shape, deployment_id="another", context={"id": "other"}))
    assert visitor.launch(platform, **claims(shape, deployment_id="third")).status_code == 401
    with transaction(engine, silo, write=False) as conn:
        assert len(conn.execute(select(course.c.course_id)).all()) == 2
        assert set(conn.execute(select(launch.c.deployment_id)).scalars()) == {shape["deployment"], "another"}


def test_roles_of_the_institution_and_look_alikes_open_nothing_here_either(
    app: Any, settings: Settings, platform: FakePlatform, shape: dict[str, Any]
) -> None:
    visitor = Browser(app, settings.public_url)
    for role in (
        f"{_PERSON}Administrator",
        f"{MEMBERSHIP}Mentor",
        "Instructor",
        "urn:lti:role:ims/lis/Learner",
    ):
        assert visitor.launch(platform, **claims(shape, roles=[role])).status_code == 403
