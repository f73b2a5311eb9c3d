"""Tables that leave as files: one `Table`, two writers (`csv_file`, `xlsx_file`) that say the same."""

from lti_tool.exports.tables import Cell, Column, Columns, Table

__all__ = ["Cell", "Column", "Columns", "Table"]
