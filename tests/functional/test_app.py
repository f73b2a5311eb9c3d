"""The application as a whole: health, errors, headers, what the log says, what a server requires."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from lti_tool.app import create_app, create_app_from_environment
from lti_tool.migrations import SchemaError
from tests import services
from tests.conftest import SECRET_KEY
from tool_config.database import administration, open_engine
from tool_config.settings import Settings, SettingsError

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def test_health_says_ready(client: FlaskClient) -> None:
    assert client.get("/health/live").json == {"live": True}
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json == {"ready": True, "database": "reachable", "schema": "current"}


def test_an_outdated_schema_is_not_ready(client: FlaskClient, engine: Engine) -> None:
    with administration(engine) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json == {"ready": False, "database": "reachable", "schema": "outdated"}


def test_a_database_out_of_reach_is_alive_but_not_ready(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path,
        database_url=f"postgresql://nobody@127.0.0.1:{services.free_port()}/none",
        secret_key=SECRET_KEY,
    )
    client = create_app(settings).test_client()
    assert client.get("/health/live").status_code == 200
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json == {"ready": False, "database": "unreachable", "schema": "unknown"}


@sqlite_only
def test_headers_of_every_answer(client: FlaskClient) -> None:
    for path in ("/", "/absent", "/health/live", "/xapi/absent"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "same-origin", path
        assert "camera=()" in headers["Permissions-Policy"], path
        assert "default-src" in headers["Content-Security-Policy"], path
    assert "frame-ancestors 'none'" in client.get("/").headers["Content-Security-Policy"]


@sqlite_only
def test_an_unknown_page_says_what_to_do_in_the_browsers_language(client: FlaskClient) -> None:
    french = client.get("/absent")
    assert french.status_code == 404
    assert "Cette page n’existe pas" in french.text
    assert "Revenez au cours" in french.text
    assert client.get("/absent", headers={"Accept-Language": "de"}).text == french.text
    assert client.get("/xapi/absent").is_json


@sqlite_only
def test_an_unexpected_error_is_a_page_with_a_reference_and_no_detail(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("inner workings")

    app.testing = False
    answer = app.test_client().get("/broken")
    assert answer.status_code == 500
    assert "inner workings" not in answer.text
    reference = next(record.args for record in caplog.records if record.args and record.exc_info)
    assert str(reference[0]) in answer.text


@sqlite_only
def test_a_body_too_large_is_refused(settings: Settings, engine: Engine) -> None:
    app = create_app(replace(settings, max_body=1000), engine=engine)

    @app.post("/form")
    def form() -> str:
        from flask import request

        return str(len(request.get_data()))

    assert app.test_client().post("/form", data=b"x" * 1000).status_code == 200
    assert app.test_client().post("/form", data=b"x" * 1001).status_code == 413


@sqlite_only
def test_the_log_holds_routes_and_no_address(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        client.get("/health/live?token=abc123")
        client.get("/secret-path-abc123")
        client.get("/c/1-abc123/courses/7/people/abc123?code=abc123")
    assert "GET /health/live 200" in caplog.text
    assert "GET /c/<launch>/courses/" in caplog.text
    assert "abc123" not in caplog.text


@sqlite_only
def test_static_files_are_served_compressed_and_for_ever(client: FlaskClient) -> None:
    from lti_tool.web.assets import asset

    answer = client.get(asset("app.css"), headers={"Accept-Encoding": "gzip, br"})
    assert answer.status_code == 200
    assert answer.headers["Content-Encoding"] == "br"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def _server(monkeypatch: pytest.MonkeyPatch, url: str, key: str) -> None:
    monkeypatch.setenv("ESTIME_DATABASE_URL", url)
    monkeypatch.setenv("ESTIME_SECRET_KEY", key)
    monkeypatch.setenv("ESTIME_PUBLIC_URL", "https://estime.test")


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_server_process_starts_from_the_environment(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _server(monkeypatch, engine.url.render_as_string(hide_password=False), SECRET_KEY)
    assert create_app_from_environment().test_client().get("/health/ready").status_code == 200
    with administration(engine) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(SchemaError, match="estime db upgrade"):
        create_app_from_environment()


def test_a_server_process_refuses_a_weak_secret(pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _server(monkeypatch, pg_url, "weak")
    with pytest.raises(SettingsError, match="ESTIME_SECRET_KEY"):
        create_app_from_environment()


def test_a_server_process_refuses_a_database_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    _server(monkeypatch, f"postgresql://nobody@127.0.0.1:{services.free_port()}/none", SECRET_KEY)
    with pytest.raises(SchemaError, match="cannot be reached"):
        create_app_from_environment()


def test_nothing_connects_before_the_first_request(tmp_path: Path) -> None:
    create_app(Settings(data_dir=tmp_path / "absent", secret_key=SECRET_KEY))
    assert not (tmp_path / "absent" / "estime.db").exists()
    assert open_engine("sqlite:///:memory:") is not None
