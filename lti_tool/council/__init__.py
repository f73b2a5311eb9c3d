"""The note for the steering council: a school year on four pages at most.

`facts` reads what the pages across courses show, `note` says it, `work` makes the file in the background.
"""
