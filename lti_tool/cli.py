"""The command `estime`: each command is imported when it is asked for, so that none waits for the others."""

from __future__ import annotations

import click

from lti_tool.commands.common import Commands

_IN = "lti_tool.commands"
#: Name of a command -> where it is.
PLACES = {
    "serve": f"{_IN}.serving:serve",
    "demo": f"{_IN}.serving:demo",
    "worker": f"{_IN}.serving:worker",
    "db": f"{_IN}.store:db",
    "rebuild": f"{_IN}.store:rebuild",
    "import": f"{_IN}.store:imports",
    "standard": f"{_IN}.importing:standard",
    "export": f"{_IN}.store:exports",
    "forward": f"{_IN}.forwarding:forwards",
    "move": f"{_IN}.move:move",
    "doctor": f"{_IN}.doctor:doctor",
    "silo": f"{_IN}.registry:silo",
    "key": f"{_IN}.registry:key",
    "keys": f"{_IN}.keys:keys",
    "quarantine": f"{_IN}.repairs:quarantines",
    "platform": f"{_IN}.registry:platform",
    "admin": f"{_IN}.registry:admin",
    "audit": f"{_IN}.auditing:audits",
    "benchmark": f"{_IN}.benchmark:benchmark",
    "compliance": f"{_IN}.compliance:compliance",
    "profile": f"{_IN}.profiles:profile",
    "privacy": f"{_IN}.privacy:privacy",
    "pseudonyms": f"{_IN}.privacy:pseudonyms",
    "retention": f"{_IN}.privacy:retention",
}


@click.group(cls=Commands, places=PLACES)
@click.version_option(package_name="estime")
def main() -> None:
    """Estime: what a course's learning traces say, inside the course."""
