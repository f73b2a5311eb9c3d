"""Frames for the analyses: the only SQL of this room, over rollups alone, never over statements."""

from analyzers.frames.one_course import course
from analyzers.frames.one_learner import learner, module
from analyzers.frames.whole_silo import silo
from analyzers.shapes import CourseFrames, LearnerFrames, ModuleActivities, SiloFrames

__all__ = [
    "CourseFrames",
    "LearnerFrames",
    "ModuleActivities",
    "SiloFrames",
    "course",
    "learner",
    "module",
    "silo",
]
