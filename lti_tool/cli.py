"""The command `estime`."""

from __future__ import annotations

import click

from lti_tool.commands import auditing, forwarding, importing, invitations, registry, repairs, serving, store
from lti_tool.commands.common import Commands
from lti_tool.commands.doctor import doctor
from lti_tool.commands.keys import keys
from lti_tool.commands.move import move
from lti_tool.commands.profiles import profile


@click.group(cls=Commands)
@click.version_option(package_name="estime")
def main() -> None:
    """Estime: what a course's learning traces say, inside the course."""


registry.platform.add_command(invitations.invite)
registry.platform.add_command(invitations.remove)

for command in (
    serving.serve,
    serving.demo,
    serving.worker,
    store.db,
    store.rebuild,
    store.imports,
    importing.standard,
    store.exports,
    forwarding.forwards,
    move,
    doctor,
    registry.silo,
    registry.key,
    keys,
    repairs.quarantines,
    registry.platform,
    registry.admin,
    auditing.audits,
    profile,
):
    main.add_command(command)
