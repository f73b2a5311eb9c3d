"""Messages handed to the institution's SMTP server (RFC 5321), one connection for several.

The server's answers are told apart: a 5xx to RCPT or DATA is a refusal of that recipient, a 4xx is to be
tried later, and a connection that fails concerns everybody. No error holds an address.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, make_msgid, parseaddr

from tool_config.settings import Settings

#: Seconds for one step of the network.
STEP_SECONDS = 15.0
#: Longest answer of a server that is kept, characters.
_LONGEST = 160

_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,190}$)"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_ANY_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>:;,]+>?")


class Refused(Exception):  # noqa: N818  (an answer of the server)
    """The server refuses this recipient for good; the message is its answer, without any address."""


class Later(Exception):  # noqa: N818  (an answer of the server)
    """The server asks to try this recipient later; the message is its answer, without any address."""


class Down(Exception):  # noqa: N818  (it may be up again)
    """The server cannot be reached, or refuses us; the message is a word."""


@dataclass(frozen=True)
class Letter:
    """What is sent to one address."""

    address: str
    subject: str
    text: str
    html: str


def usable(address: str) -> bool:
    """Say whether a text is one address that any server takes (RFC 5321, 4.1.2, without quotes)."""
    local = address.partition("@")[0]
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    return _ADDRESS.fullmatch(address) is not None and not dots


def is_set(settings: Settings) -> bool:
    """Say whether messages can be sent at all."""
    return bool(settings.smtp_host)


class Server:
    """An open connection; `send` may be called again whatever it raised, but Down."""

    def __init__(self, smtp: smtplib.SMTP, sender: str) -> None:
        self._smtp = smtp
        self._sender = parseaddr(sender)[1]

    def send(self, letter: Letter, *, name: str, now: datetime) -> None:
        """Hand over one message from `name`; raises Refused, Later, Down."""
        message = compose(letter, sender=self._sender, name=name, now=now)
        try:
            self._smtp.sendmail(self._sender, [letter.address], message.as_bytes())
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise _answered(code, said) from None
        except smtplib.SMTPDataError as error:
            raise _answered(error.smtp_code, error.smtp_error) from None
        except (smtplib.SMTPException, OSError) as error:
            raise Down(_word(error)) from None
        except UnicodeError:
            raise Refused("address not usable") from None


@contextmanager
def connected(settings: Settings) -> Iterator[Server]:
    """Open the server of the settings; raises Down."""
    smtp = _open(settings)
    try:
        yield Server(smtp, settings.mail_sender)
    finally:
        with suppress(smtplib.SMTPException, OSError):
            smtp.quit()


def _open(settings: Settings) -> smtplib.SMTP:
    host, port = settings.smtp_host, settings.smtp_port
    # Not the machine's own name, which takes a look-up and tells where the tool runs.
    own = parseaddr(settings.mail_sender)[1].partition("@")[2]
    secure = ssl.create_default_context()
    try:
        smtp: smtplib.SMTP
        if settings.smtp_tls == "tls":
            smtp = smtplib.SMTP_SSL(host, port, local_hostname=own, timeout=STEP_SECONDS, context=secure)
        else:
            smtp = smtplib.SMTP(host, port, local_hostname=own, timeout=STEP_SECONDS)
        try:
            if settings.smtp_tls == "starttls":
                smtp.starttls(context=secure)
            if settings.smtp_user:
                smtp.login(settings.smtp_user, settings.smtp_password)
        except (smtplib.SMTPException, OSError):
            smtp.close()
            raise
    except (smtplib.SMTPException, OSError) as error:
        raise Down(_word(error)) from None
    return smtp


def compose(letter: Letter, *, sender: str, name: str, now: datetime) -> EmailMessage:
    """Return the message: plain text first, then the same as HTML (RFC 2046, 5.1.4)."""
    message = EmailMessage(policy=SMTP)
    message["From"] = formataddr((" ".join(name.split()), sender))
    message["To"] = letter.address
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=sender.partition("@")[2])
    # No automatic answer is wanted (RFC 3834, 5).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return message


def _answered(code: int, said: bytes | str) -> Refused | Later:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    plain = " ".join(_ANY_ADDRESS.sub("…", text).split())
    words = f"{code} {plain}"[:_LONGEST].strip()
    return Refused(words) if code >= 500 else Later(words)


def _word(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "authentication"
    if isinstance(error, smtplib.SMTPSenderRefused):
        return "sender"
    if isinstance(error, (ssl.SSLError, smtplib.SMTPNotSupportedError)):
        return "tls"
    return "unreachable"
