"""Files and exports of other tools, turned into statements."""
