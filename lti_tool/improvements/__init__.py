"""The improvement log: what was seen, what is decided, who does it by when, what was measured after.

`figures` has what an entry starts from, `registry` the kinds of figures (a room adds its own there),
`entries` what is done to an entry, `log` how entries are found and listed, `reviewing` what may be published
on the trainees' page, `wording` the words. `docs/improvements.md` says how a page offers to open an entry.
"""

from lti_tool.improvements.entries import Author, Entry, ImprovementError, Stale
from lti_tool.improvements.figures import Kind, Reading, Seen

__all__ = ["Author", "Entry", "ImprovementError", "Kind", "Reading", "Seen", "Stale"]
