"""Settings: read once, refused with a sentence, and every one of them documented."""

from __future__ import annotations

import re
import stat
import threading
from dataclasses import fields
from pathlib import Path

import pytest

from tool_config import rules
from tool_config.settings import Settings, SettingsError

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"
STRONG = "0123456789abcdefghijklmnopqrstuvwxyz"


def test_every_setting_is_documented_with_its_default() -> None:
    rows = re.findall(r"^\| `(ESTIME_[A-Z_]+)` \| (.*?) \| .+ \|$", DOCUMENT.read_text(), re.MULTILINE)
    documented = dict(rows)
    expected = {}
    for item in fields(Settings):
        default = item.default
        shown = (
            {"": "empty", False: "`0`", True: "`1`"}.get(default) if not isinstance(default, Path) else None
        )
        expected[f"ESTIME_{item.name.upper()}"] = shown or f"`{default}`"
    assert documented == expected
    assert len(rows) == len(documented)


def test_every_rule_is_documented() -> None:
    text = DOCUMENT.read_text()
    for section in fields(rules.Rules):
        for item in fields(type(getattr(rules.load(), section.name))):
            assert f"`{section.name}.{item.name}`" in text


def test_nothing_said_is_the_embedded_mode() -> None:
    settings = Settings.from_environment({})
    assert not settings.is_server
    assert settings.store_url.startswith("sqlite:////")
    assert settings.store_url.endswith("/estime-data/estime.db")


def test_what_the_environment_says_is_read() -> None:
    settings = Settings.from_environment(
        {
            "ESTIME_DATA_DIR": "/srv/estime",
            "ESTIME_DATABASE_URL": "postgresql://estime@db/estime",
            "ESTIME_REDIS_URL": "redis://cache:6379/0",
            "ESTIME_PUBLIC_URL": "https://estime.example.fr/",
            "ESTIME_SECRET_KEY": STRONG,
            "ESTIME_ALLOW_LOCAL_NETWORK": "1",
            "ESTIME_XAPI_DEFAULT_VERSION": "2.0.0",
            "ESTIME_MAX_BODY": " 1000 ",
            "OTHER": "x",
        }
    )
    assert settings.is_server
    assert settings.public_url == "https://estime.example.fr"
    assert settings.allow_local_network
    assert settings.max_body == 1000
    assert settings.with_secret() is settings
    assert STRONG not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "estime.example.fr"),
        ("PUBLIC_URL", "https://estime.example.fr/?a=1"),
        ("DATABASE_URL", "mysql://db/estime"),
        ("DATABASE_URL", "not an address"),
        ("REDIS_URL", "http://cache"),
        ("ALLOW_LOCAL_NETWORK", "yes"),
        ("MAX_BODY", "0"),
        ("MAX_BODY", "20 MB"),
        ("XAPI_DEFAULT_VERSION", "0.9"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"ESTIME_{name}"):
        Settings.from_environment({f"ESTIME_{name}": value})


@pytest.mark.parametrize("key", ["", "short", "a" * 64, "abababababababababababababababababababab"])
def test_a_server_refuses_a_weak_secret_and_says_how_to_make_one(key: str) -> None:
    settings = Settings(database_url="postgresql://db/estime", secret_key=key)
    with pytest.raises(SettingsError, match=r"python3 -c 'import secrets"):
        settings.with_secret()


def test_the_embedded_mode_makes_a_secret_that_others_cannot_read(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "made")
    key = settings.with_secret().secret_key
    assert len(key) >= 32
    assert settings.with_secret().secret_key == key
    assert stat.S_IMODE((tmp_path / "made" / "secret.key").stat().st_mode) == 0o600
    assert [file.name for file in (tmp_path / "made").iterdir()] == ["secret.key"]


def test_two_that_start_at_once_share_one_secret(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    barrier = threading.Barrier(8)
    keys: list[str] = []

    def start() -> None:
        barrier.wait()
        keys.append(settings.with_secret().secret_key)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert len(keys[0]) >= 32


def _rules(tmp_path: Path, before: str, after: str) -> Path:
    text = (Path(rules.__file__).with_name("rules.yaml")).read_text()
    assert before in text
    file = tmp_path / "rules.yaml"
    file.write_text(text.replace(before, after))
    return file


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("inactive_days: 14", "inactive_days: 0", "states.inactive_days"),
        ("inactive_days: 14", "inactive_days: true", "states.inactive_days"),
        ("inactive_days: 14", "idle_days: 14", "states must have exactly"),
        ("cap_minutes: 30", "cap_minutes: 45", "45 minutes"),
        ("course: 5", "course: 1", "protects nobody"),
        ("disclosure:", "publication:", "must have exactly"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named(tmp_path: Path, before: str, after: str, said: str) -> None:
    with pytest.raises(rules.RulesError, match=said):
        rules.load(_rules(tmp_path, before, after))


def test_the_rules_that_come_with_the_tool_can_be_used() -> None:
    loaded = rules.load()
    assert loaded.time_spent.cap_minutes == 30
    assert loaded.disclosure.course == 5
