"""Documents made of frozen content (`content`), as a tagged PDF (`pdf`) and as a workbook (`workbook`)."""
