"""Messages: which addresses are taken, how they are written, what settings are refused, TLS and passwords."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lti_tool import mail
from lti_tool.invited import letters
from lti_tool.mail import Letter
from tests import services
from tests.factories.mailbox import Mailbox, link, text
from tool_config.settings import Settings, SettingsError

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
LETTER = Letter("anne@mairie.test", "Votre avis", "Bonjour,\nà vous.\n", "<p>Bonjour</p>")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("prenom.nom@exemple.fr", True),
        ("a+b_c@sous.domaine.exemple.fr", True),
        ("@exemple.fr", False),
        ("a@exemple", False),
        ("a@@exemple.fr", False),
        (".a@exemple.fr", False),
        ("a..b@exemple.fr", False),
        ("é@exemple.fr", False),
        ("a@exemple.fr\nBcc: b@exemple.fr", False),
        ("a" * 65 + "@exemple.fr", False),
        ("a@-exemple.fr", False),
    ],
)
def test_addresses_that_any_server_takes(address: str, expected: bool) -> None:
    assert mail.usable(address) is expected


def test_no_line_of_a_name_or_a_subject_becomes_a_header() -> None:
    letter = replace(LETTER, subject="Avis\r\nBcc: eve@x.test")
    made = mail.compose(letter, sender="f@ecole.test", name="École\nBcc: eve@x.test", now=NOW)
    assert made["Bcc"] is None
    assert made["Subject"] == "Avis Bcc: eve@x.test"
    assert made["Auto-Submitted"] == "auto-generated"
    assert made["Message-ID"].endswith("@ecole.test>")
    assert [part.get_content_type() for part in made.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_letter_says_the_same_in_text_and_in_html_and_escapes_titles(locale: str) -> None:
    asked = letters.Asked("IH2EF", "Avis <b>", "Piloter & agir", "", 3, date(2026, 12, 5), "anonymous", 30)
    made = letters.letter(asked, address="a@b.fr", link="https://x.test/answer/1.abc", locale=locale)
    message = mail.compose(made, sender="f@ecole.test", name="IH2EF", now=NOW)
    assert link(message) == "https://x.test/answer/1.abc"
    assert "Avis <b>" in text(message)
    html = text(message, "html")
    assert "Avis &lt;b&gt;" in html
    assert 'href="https://x.test/answer/1.abc"' in html
    assert "src=" not in html
    assert html.count("https://") == 2


@pytest.mark.parametrize(
    "told",
    [
        {"SMTP_TLS": "ssl"},
        {"SMTP_USER": "x"},
        {"SMTP_HOST": "mail.test"},
        {"SMTP_HOST": "mail.test", "MAIL_SENDER": "formation"},
        {"SMTP_TLS": "none", "SMTP_USER": "x", "SMTP_PASSWORD": "y"},
    ],
)
def test_settings_of_mail_that_cannot_be_used_are_refused(told: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        Settings.from_environment({f"ESTIME_{name}": value for name, value in told.items()})


def test_the_password_is_not_in_what_settings_print() -> None:
    assert "s3cret" not in repr(Settings(smtp_password="s3cret"))


# --- a server that speaks TLS and asks for a password ---------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and the certificate of localhost, which nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("smtp") / "localhost.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[tuple[Settings, Mailbox]]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and data.password == b"right"
        return AuthResult(success=known, handled=known)

    box = Mailbox(port=services.free_port())
    controller = Controller(
        box, hostname="127.0.0.1", port=box.port, tls_context=context, require_starttls=True,
        auth_required=True, authenticator=authenticate, server_hostname="localhost",
    )  # fmt: skip
    controller.start()
    told = Settings(
        smtp_host="localhost", smtp_port=box.port, smtp_user="estime", smtp_password="right",
        mail_sender="formation@ecole.test",
    )  # fmt: skip
    yield told, box
    controller.stop()


def send(settings: Settings) -> None:
    with mail.connected(settings) as server:
        server.send(LETTER, name="École", now=NOW)


def test_a_password_goes_to_a_server_whose_certificate_is_trusted_only(
    secure: tuple[Settings, Mailbox], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, box = secure
    with pytest.raises(mail.Down, match="tls"):
        send(settings)  # nobody vouches for it
    trusted = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda: trusted(cafile=str(certificate)))
    send(settings)
    assert len(box.to("anne@mairie.test")) == 1
    with pytest.raises(mail.Down, match="authentication"):
        send(replace(settings, smtp_password="wrong"))
    with pytest.raises(mail.Down, match="unreachable"):
        send(replace(settings, smtp_port=services.free_port()))
