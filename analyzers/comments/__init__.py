"""What people write: masked, put into themes, its polarity estimated. PURE.

`masking` and `accuracy` are light, and any process may import them. `lemmas`, `themes`, `polarity` and
`work` need scikit-learn and simplemma: only the child process that `python -m analyzers.comments.work`
starts imports them, and its memory goes with it.
"""
