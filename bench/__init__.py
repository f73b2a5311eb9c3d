"""Benchmarks: `python -m bench` prints tables with sizes and ratios."""
