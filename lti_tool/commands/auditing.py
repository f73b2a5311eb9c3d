"""`estime audit`: who came in, who was refused and why."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from lti_tool import audit
from lti_tool.audit import Wanted
from lti_tool.commands.common import answer, data_dir_option, open_store, read_settings
from tool_config import silos
from tool_config.database import administration, transaction


@click.group("audit")
def audits() -> None:
    """What the tool keeps of comings, refusals, looks at people, files taken away."""


@audits.command("list")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@click.option("--kind", type=click.Choice([*audit.ACTIONS, audit.REFUSAL]), help="Only these lines.")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="From this day on (UTC).")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Up to this day, included (UTC).")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000))
@data_dir_option
def audit_list(
    name: str,
    kind: str | None,
    first: datetime | None,
    last: datetime | None,
    limit: int,
    data_dir: Path | None,
) -> None:
    """List lines, the latest first; people are pseudonyms, as on the pages."""
    engine = open_store(read_settings(data_dir))
    with administration(engine) as conn:
        owner = silos.by_name(conn, name)
    until = last.replace(tzinfo=UTC) + timedelta(days=1) if last else None
    wanted = Wanted(kind or "", first.replace(tzinfo=UTC) if first else None, until)
    with transaction(engine, owner.silo_id, write=False) as conn:
        found = audit.lines(conn, owner.silo_id, wanted, limit=limit)
    shown = []
    for line in found:
        content = asdict(line)
        for person in ("actor", "subject"):
            content[person] = silos.pseudonym(owner, content[person]) if content[person] else None
        shown.append(content)
    answer({"silo": owner.name, "lines": shown})
