"""Every kind of background work: who does it, and what comes back every day.

A room adds its kinds here, by a line; handlers that need heavy libraries import them when they run.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from lti_tool import comments, depth, saved, typologies
from lti_tool.comments import work as reading
from lti_tool.community import work as community
from lti_tool.compliance import work as compliance
from lti_tool.council import work as council
from lti_tool.evidence import work as evidence
from lti_tool.exports import kept
from lti_tool.imports import work as imports
from lti_tool.invited import work as invited
from lti_tool.jobs import Kind, Periodic, every
from lti_tool.privacy import own, purging, scrubbing
from lti_tool.profiles import links as profile_links
from lti_tool.saved import work as saved_views
from lti_tool.services import grades, marks, memberships

KINDS: Mapping[str, Kind] = {
    memberships.KIND: Kind(memberships.synchronise),
    memberships.NIGHTLY: Kind(memberships.ask_all),
    marks.KIND: Kind(grades.send),
    marks.NIGHTLY: Kind(marks.ask_all),
    imports.KIND: Kind(imports.take, slow=True),
    imports.NIGHTLY: Kind(imports.tidy, slow=True),
    evidence.KIND: Kind(evidence.make, slow=True),
    compliance.KIND: Kind(compliance.make, slow=True),
    own.KIND: Kind(own.make, slow=True),
    kept.NIGHTLY: Kind(kept.tidy),
    invited.KIND: Kind(invited.send, attempts=invited.ATTEMPTS),
    invited.NIGHTLY: Kind(invited.tidy),
    profile_links.KIND: Kind(profile_links.send, attempts=profile_links.ATTEMPTS),
    profile_links.NIGHTLY: Kind(profile_links.tidy),
    council.KIND: Kind(council.make, slow=True),
    saved.KIND: Kind(saved_views.make, slow=True),
    saved.NIGHTLY: Kind(saved_views.monthly),
    depth.KIND: Kind(depth.run, slow=True),
    depth.NIGHTLY: Kind(depth.run, slow=True),
    scrubbing.KIND: Kind(scrubbing.run, slow=True),
    purging.NIGHTLY: Kind(purging.nightly, slow=True),
    comments.KIND: Kind(reading.run, slow=True),
    comments.NIGHTLY: Kind(reading.ask_all),
    community.KIND: Kind(community.run, slow=True),
    typologies.KIND: Kind(typologies.run, slow=True),
    typologies.NIGHTLY: Kind(typologies.ask_all),
}

PERIODIC: tuple[Periodic, ...] = (
    every(memberships.NIGHTLY, at=time(3, 10)),
    every(marks.NIGHTLY, at=time(3, 40)),
    every(imports.NIGHTLY, at=time(4, 10)),
    every(kept.NIGHTLY, at=time(4, 20)),
    every(purging.NIGHTLY, at=time(4, 50)),
    every(invited.NIGHTLY, at=time(4, 15)),
    every(profile_links.NIGHTLY, at=time(4, 5)),
    every(saved.NIGHTLY, at=time(5, 10)),
    every(depth.NIGHTLY, at=time(4, 25)),
    every(comments.NIGHTLY, at=time(4, 40)),
    every(typologies.NIGHTLY, at=time(4, 50)),
)
