"""Two institutions side by side: aggregates that one exports and another reads, never people.

`aggregates` is the file, made and read; `kept` the files of others that a silo has.
"""
