"""The settings of one running instance: one frozen object, read once from the environment."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

_SENDER = re.compile(r"[^\s<>@,;]+@[A-Za-z0-9.-]+")


class SettingsError(Exception):
    """A setting that cannot be used; the message says which, why, and how to mend it."""


@dataclass(frozen=True)
class Settings:
    """What the process was told; `ESTIME_<NAME>` in the environment, in capitals, for each field."""

    #: Folder of the embedded engine: database, secret key.
    data_dir: Path = field(default=Path("estime-data"))
    #: `sqlite:///…` or `postgresql://…`; empty: SQLite in the data directory.
    database_url: str = ""
    #: `redis://…`; empty: cache in the memory of the process.
    redis_url: str = ""
    #: Address under which browsers and platforms reach the tool, without a final slash.
    public_url: str = "http://localhost:8080"
    #: At least 32 characters; embedded mode makes one in the data directory.
    secret_key: str = field(default="", repr=False)
    #: Development only: platforms on localhost, private addresses and plain http are allowed.
    allow_local_network: bool = False
    #: Version answered to an LRS request that names none: "1.0.3" or "2.0.0".
    xapi_default_version: str = "1.0.3"
    #: Largest body of a request to the store, bytes.
    max_body: int = 20_000_000
    #: Days for which the institution keeps its backups: said to people whose data is erased.
    backup_days: int = 30
    #: Folder of deposits, looked at by the worker; empty: none.
    watched_dir: str = ""
    #: Server that sends the messages; empty: none are sent, links are copied by hand.
    smtp_host: str = ""
    smtp_port: int = 587
    #: "starttls", "tls" from the first byte, or "none" (a server on the same machine or network).
    smtp_tls: str = "starttls"
    smtp_user: str = ""
    smtp_password: str = field(default="", repr=False)
    #: Address that messages come from, and that people may answer to.
    mail_sender: str = ""
    #: Client secret of the OpenID Connect providers for which none was sealed.
    oidc_client_secret: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read `ESTIME_*`; raise SettingsError on a value that cannot be used."""
        values: dict[str, object] = {}
        for item in fields(cls):
            text = environment.get(f"ESTIME_{item.name.upper()}", "").strip()
            if not text:
                continue
            default = item.default
            if isinstance(default, bool):
                if text not in ("0", "1"):
                    raise SettingsError(f"ESTIME_{item.name.upper()} must be 0 or 1")
                values[item.name] = text == "1"
            elif isinstance(default, int):
                if not text.isdigit() or int(text) == 0:
                    raise SettingsError(f"ESTIME_{item.name.upper()} must be a positive whole number")
                values[item.name] = int(text)
            elif isinstance(default, Path):
                values[item.name] = Path(text)
            else:
                values[item.name] = text
        settings = cls(**values)  # type: ignore[arg-type]
        return replace(settings, public_url=settings.public_url.rstrip("/"))._checked()

    def _checked(self) -> Settings:
        parts = urlsplit(self.public_url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            raise SettingsError("ESTIME_PUBLIC_URL must be an address such as https://estime.example.fr")
        if self.xapi_default_version not in ("1.0.3", "2.0.0"):
            raise SettingsError("ESTIME_XAPI_DEFAULT_VERSION must be 1.0.3 or 2.0.0")
        if self.redis_url and not self.redis_url.startswith(("redis://", "rediss://", "unix://")):
            raise SettingsError("ESTIME_REDIS_URL must begin with redis://, rediss:// or unix://")
        if self.database_url:
            try:
                backend = make_url(self.database_url).get_backend_name()
            except ArgumentError:
                raise SettingsError("ESTIME_DATABASE_URL is not an address of a database") from None
            if backend not in ("sqlite", "postgresql"):
                raise SettingsError("ESTIME_DATABASE_URL must begin with sqlite:/// or postgresql://")
        self._check_mail()
        return self

    def _check_mail(self) -> None:
        if self.smtp_tls not in ("starttls", "tls", "none"):
            raise SettingsError("ESTIME_SMTP_TLS must be starttls, tls or none")
        if bool(self.smtp_user) != bool(self.smtp_password):
            raise SettingsError("ESTIME_SMTP_USER and ESTIME_SMTP_PASSWORD go together")
        if self.smtp_user and self.smtp_tls == "none" and not self.allow_local_network:
            raise SettingsError("ESTIME_SMTP_TLS=none would send the password in clear: use starttls or tls")
        if self.smtp_host and not _SENDER.fullmatch(self.mail_sender):
            raise SettingsError("ESTIME_MAIL_SENDER must be an address such as formation@example.fr")

    @property
    def store_url(self) -> str:
        """The database's address, with the default filled in."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'estime.db').absolute()}"

    @property
    def is_server(self) -> bool:
        """True when the store is a server shared by several processes."""
        return self.store_url.startswith("postgresql")

    def with_secret(self) -> Settings:
        """Return settings that hold a usable secret key, making one in embedded mode.

        Raises SettingsError in server mode when the key is unset or weak.
        """
        if self.secret_key or self.is_server:
            _refuse_weak(self.secret_key)
            return self
        file = self.data_dir / "secret.key"
        if not file.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            # Linked into place whole: of two processes that start at once, both read the same key.
            with NamedTemporaryFile("w", dir=self.data_dir) as fresh:
                fresh.write(secrets.token_urlsafe(48))
                fresh.flush()
                with suppress(FileExistsError):
                    os.link(fresh.name, file)
        return replace(self, secret_key=file.read_text().strip())


def _refuse_weak(key: str) -> None:
    if len(key) < 32 or len(set(key)) < 10:
        raise SettingsError(
            "ESTIME_SECRET_KEY is unset or too weak: give at least 32 unpredictable characters, "
            "for instance those printed by: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
