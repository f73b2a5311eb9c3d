"""`estime privacy|pseudonyms|retention`: erasures, another key for pseudonyms, how long things are kept."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from lti_tool.clock import utcnow
from lti_tool.commands.common import answer, data_dir_option, open_store, read_settings
from lti_tool.privacy import erasure, purging, requests, scrubbing, whose
from lti_tool.privacy import retention as rules
from tool_config import silos
from tool_config.database import administration, transaction


@click.group()
def privacy() -> None:
    """Erasures: asked for, previewed, decided."""


@privacy.command("list")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@data_dir_option
def privacy_list(name: str, data_dir: Path | None) -> None:
    """List the erasures asked for; people are pseudonyms, as on the pages."""
    engine = open_store(read_settings(data_dir))
    with administration(engine) as conn:
        owner = silos.by_name(conn, name)
    with transaction(engine, owner.silo_id, write=False) as conn:
        found = requests.listing(conn, owner.silo_id)
    shown = [
        {**asdict(one), "actor": silos.pseudonym(owner, one.actor) if one.actor else None} for one in found
    ]
    answer({"silo": owner.name, "requests": shown})


@privacy.command("ask")
@click.argument("person")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@data_dir_option
def privacy_ask(person: str, name: str, data_dir: Path | None) -> None:
    """Write down that PERSON (account number, user name or address) asked to be erased."""
    engine = open_store(read_settings(data_dir))
    with administration(engine) as conn:
        owner = silos.by_name(conn, name)
    with transaction(engine, owner.silo_id) as conn:
        actor = whose.by_name(conn, owner.silo_id, person)
        if actor is None:
            raise click.ClickException("nobody, or several people, are known under that name in this silo")
        one = requests.ask(conn, owner.silo_id, actor, now=utcnow(), by=requests.ADMINISTRATOR)
    answer({"silo": owner.name, "request": one.request_id, "due_on": one.due_on})


@privacy.command("preview")
@click.argument("request_id")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@data_dir_option
def privacy_preview(request_id: str, name: str, data_dir: Path | None) -> None:
    """Count what the erasure of a request would take; nothing is changed."""
    settings = read_settings(data_dir).with_secret()
    engine = open_store(settings)
    with administration(engine) as conn:
        owner = silos.by_name(conn, name)
    with transaction(engine, owner.silo_id, write=False) as conn:
        try:
            one = requests.find(conn, owner.silo_id, request_id)
        except requests.RequestError:
            raise click.ClickException("there is no such request") from None
        seen = erasure.preview(
            conn, owner.silo_id, one.actor, secret_key=settings.secret_key, home=settings.public_url
        )
    answer({"goes": dict(seen.goes), "mentions": seen.mentions, "copies": list(seen.copies)})


@privacy.command("erase")
@click.argument("request_id")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@click.option("--yes", is_flag=True, help="It cannot be undone: say that you know.")
@data_dir_option
def privacy_erase(request_id: str, name: str, yes: bool, data_dir: Path | None) -> None:
    """Erase the person of a request, and on SQLite write the file anew at once."""
    if not yes:
        raise click.ClickException("an erasure cannot be undone: look at `preview`, then give --yes")
    settings = read_settings(data_dir).with_secret()
    engine = open_store(settings)
    with administration(engine) as conn:
        owner = silos.by_name(conn, name)
    try:
        with transaction(engine, owner.silo_id) as conn:
            counts = requests.erase(
                conn, owner.silo_id, request_id, by="", secret_key=settings.secret_key,
                home=settings.public_url, now=utcnow(),
            )  # fmt: skip
    except requests.RequestError as error:
        raise click.ClickException(f"this request cannot be decided: {error.code}") from None
    answer({"erased": dict(counts), "written_anew": scrubbing.scrub(engine)})


@click.group()
def pseudonyms() -> None:
    """The pseudonyms that administrators see in the place of names."""


@pseudonyms.command("rotate")
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@data_dir_option
def pseudonyms_rotate(name: str, data_dir: Path | None) -> None:
    """Draw another key: everybody's pseudonym changes, and nothing leads from the old to the new."""
    with administration(open_store(read_settings(data_dir))) as conn:
        owner = silos.by_name(conn, name)
        silos.rotate_pseudonyms(conn, owner.silo_id)
    answer({"silo": owner.name, "rotated": True})


@click.command()
@click.option("--silo", "name", required=True, help="Name or number of the silo.")
@click.option("--dry-run", is_flag=True, help="Say what would leave, and change nothing.")
@click.option("--set", "wanted", multiple=True, metavar="KIND=DAYS", help="Keep a kind for so many days.")
@data_dir_option
def retention(name: str, dry_run: bool, wanted: tuple[str, ...], data_dir: Path | None) -> None:
    """Say how long things are kept (`--set traces=365`), what would leave, or take it away now."""
    engine = open_store(read_settings(data_dir))
    with administration(engine) as conn:
        owner = silos.by_name(conn, name)
    silo_id, now = owner.silo_id, utcnow()
    with transaction(engine, silo_id) as conn:
        for text in wanted:
            kind, _, days = text.partition("=")
            try:
                rules.set_rule(conn, silo_id, kind, int(days), by="", now=now)
            except (ValueError, rules.RetentionError):
                bounds = ", ".join(
                    f"{one.kind} {one.fewest}-{one.most}" for one in rules.rules(conn, silo_id)
                )
                raise click.ClickException(f"{text!r}: a kind and its days, among {bounds}") from None
        kept, plan = rules.days_of(conn, silo_id), rules.plan(conn, silo_id, now=now)
    ending = [{"course": one.title, "ended": one.ends_on, "traces": one.traces} for one in plan.courses]
    said = {"silo": owner.name, "days": kept, "sessions": ending, "others": dict(plan.counts)}
    if not dry_run and not wanted:
        said["gone"] = dict(purging.purge(engine, silo_id, clock=utcnow))
    answer(said)
