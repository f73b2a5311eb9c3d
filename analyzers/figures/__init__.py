"""Results to plotly figures, each with the data table that says the same.

A figure is a JSON object {"data": […], "layout": {…}} for plotly.js: bars from zero, fixed ranges, no
template, no address, no function. Words come translated from the caller; colours are those of the light
theme, which the page maps to its own (``DARK`` gives the values of the dark theme). The key is the page's.
"""

from analyzers.figures.course import module_activities, pace, timeline, weeks
from analyzers.figures.crossing import CrossingWords, crossed
from analyzers.figures.drawing import BLUE, DARK, LINE, ORANGE, PLUM, SOFT, TEAL, Labels, check
from analyzers.figures.quality import months
from analyzers.figures.satisfaction import TrendWords, trend

__all__ = [
    "BLUE",
    "DARK",
    "LINE",
    "ORANGE",
    "PLUM",
    "SOFT",
    "TEAL",
    "CrossingWords",
    "Labels",
    "TrendWords",
    "check",
    "crossed",
    "module_activities",
    "months",
    "pace",
    "timeline",
    "trend",
    "weeks",
]
