"""Where a person is held: every table is told, once."""

from __future__ import annotations

from lti_tool.privacy import holdings
from lti_tool.tables import person  # noqa: F401  (registers the tables)
from tool_config.database import metadata


def test_every_table_says_whether_it_holds_people() -> None:
    held = {holding.table.name for holding in holdings.HOLDINGS}
    assert set(metadata.tables) - held - set(holdings.NOBODY) == set(), "see lti_tool/privacy/holdings.py"
    assert held & set(holdings.NOBODY) == set()
    assert set(holdings.NOBODY) <= set(metadata.tables)


def test_what_stays_says_why_and_where() -> None:
    for holding in holdings.HOLDINGS:
        assert holding.fate == "deleted" or holding.why, holding.table.name
        if holding.fate == "cut":
            assert holding.columns or holding.step, holding.table.name
        assert set(holding.columns) <= set(holding.table.columns.keys()), holding.table.name


def test_columns_named_like_somebody_are_told() -> None:
    """A column that by its name holds an actor is one of those an erasure goes through."""
    names = {"actor", "respondent", "spoken_by", "agent", "alias", "author", "owner", "by", "person_key"}
    for table in metadata.tables.values():
        suspect = {
            column.name for column in table.columns if column.name in names or column.name.endswith("_by")
        }
        if suspect - {"asked_by", "tied_by"}:
            assert table.name not in holdings.NOBODY, (table.name, suspect)
