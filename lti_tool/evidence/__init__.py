"""The evidence pack: what the data of a path says of eight indicators of the référentiel national qualité.

`facts` reads, by the functions of the pages; `lots` decides what may be told apart; `results`, `needs` and
`improving` write the sections; `pack` puts them together; `work` makes the two files in the background.
The pack is in French, like the standard that it answers and the people who audit it.
"""
