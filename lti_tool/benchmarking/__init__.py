"""Every analysis that fits, on every data set of a folder: read, refused, computed, how long, checked.

`running.run` takes a folder through a temporary store, a silo a data set; `report.written` says what came of
it in Markdown. `docs/benchmark.md` is such a report.
"""
