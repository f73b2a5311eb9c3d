"""Columns and scores of a platform's gradebook (LTI Assignment and Grade Services 2.0)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from lti_tool.services.client import LINE_ITEM, SCORE, Client, ServiceError, read_json

CONTAINER = "application/vnd.ims.lis.v2.lineitemcontainer+json"
ITEM = "application/vnd.ims.lis.v2.lineitem+json"
SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
#: By which the tool knows its columns again.
TAG = "estime"
#: Every score is out of this.
MOST = 100

Outcome = Literal["sent", "later", "refused"]


@dataclass(frozen=True)
class Score:
    """What is said of one person, at an instant later than anything said of them before."""

    sub: str
    given: int
    finished: bool
    at: datetime


def find_or_make(
    client: Client, lineitems_url: str, granted: Collection[str], mark_id: str, label: str
) -> str:
    """Return the address of the tool's column for a mark, made when the gradebook has none.

    ServiceError("forbidden") when the tool was not granted the right to make one. No ``limit`` is ever sent:
    Moodle answers it with a Link header that cannot be read.
    """
    if LINE_ITEM not in granted:
        raise ServiceError("forbidden", "no right on columns")
    wanted = {"resource_id": mark_id, "tag": TAG}
    listed = read_json(
        client.ask("GET", with_query(lineitems_url, wanted), scopes=[LINE_ITEM], accept=CONTAINER), list
    )
    for item in listed:
        if isinstance(item, Mapping) and (item.get("resourceId"), item.get("tag")) == (mark_id, TAG):
            return _address(item)
    content = {"label": label, "scoreMaximum": MOST, "resourceId": mark_id, "tag": TAG}
    made = client.ask(
        "POST", lineitems_url, scopes=[LINE_ITEM], accept=ITEM, content=content, content_type=ITEM
    )
    return _address(read_json(made, Mapping))


def _address(item: Mapping[str, Any]) -> str:
    url = item.get("id")
    if not isinstance(url, str) or not url:
        raise ServiceError("nonsense", "column without address")
    return url


def send(client: Client, lineitem_url: str, score: Score) -> Outcome:
    """Say one score; "later" when the gradebook holds a later one, "refused" when it takes none.

    It takes none of a teacher or of somebody that it does not know. Always FullyGraded: with anything else
    Moodle clears the mark.
    """
    content = {
        "userId": score.sub,
        "scoreGiven": score.given,
        "scoreMaximum": MOST,
        "timestamp": score.at.isoformat(timespec="milliseconds"),
        "activityProgress": "Completed" if score.finished else "InProgress",
        "gradingProgress": "FullyGraded",
    }
    answer = client.ask(
        "POST",
        scores_url(lineitem_url),
        scopes=[SCORE],
        content=content,
        content_type=SCORE_TYPE,
        accepted=(400, 409),
    )
    match answer.status:
        case 409:
            return "later"
        case 400:
            return "refused"
    return "sent"


def scores_url(lineitem_url: str) -> str:
    """Return where the scores of a column go: its path and /scores, before its parameters (AGS 2.0, 3.4)."""
    parts = urlsplit(lineitem_url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/scores"))


def with_query(url: str, more: Mapping[str, str]) -> str:
    """Return an address with more parameters; those that it has stay."""
    parts = urlsplit(url)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    return urlunsplit(parts._replace(query=urlencode([*asked, *more.items()])))
