"""The file that an institution signs: its documents, in French, filled from the live settings.

`facts` reads what holds now, `institution` what only people know; one module a document makes its content;
`work` writes them, as DOCX to be amended and as PDF.
"""
