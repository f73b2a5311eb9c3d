"""What Moodle's xAPI logstore plugin 5.0.1 calls things: verbs, types, events and functions."""

from __future__ import annotations

ADL = "http://adlnet.gov/expapi/"
STREAMS = "http://activitystrea.ms/"
TINCAN = "http://id.tincanapi.com/"
EDLM = "https://xapi.edlm/profiles/edlm-lms/concepts/"
LMS = "https://w3id.org/learning-analytics/learning-management-system/"

TYPES = {
    "page": "https://w3id.org/xapi/acrossx/activities/page",
    "url": f"{ADL}activities/link",
    "scorm": f"{ADL}activities/module",
    "quiz": f"{ADL}activities/assessment",
    "forum": f"{EDLM}activity-types/forum",
    "assign": f"{EDLM}activity-types/assignment",
    "feedback": f"{EDLM}activity-types/feedback",
    "lti": f"{ADL}activities/media",
}

#: Moodle's event, the plugin's function, the verb's IRI and its display.
EVENTS: dict[str, tuple[str, str, str, str]] = {
    "login": ("core.user_loggedin", "core.user_loggedin", f"{EDLM}verbs/login", "Logged In"),
    "logout": ("core.user_loggedout", "core.user_loggedout", f"{EDLM}verbs/logout", "Logged Out"),
    "enrolled": (
        "core.user_enrolment_created",
        "core.user_enrolment_created",
        f"{EDLM}verbs/enrolled",
        "Enrolled",
    ),
    "left": ("core.user_enrolment_deleted", "core.user_enrolment_deleted", f"{STREAMS}leave", "Left"),
    "course_viewed": ("core.course_viewed", "core.course_viewed", f"{TINCAN}verb/viewed", "Viewed"),
    "course_completed": (
        "core.course_completed",
        "core.course_completed",
        f"{ADL}verbs/completed",
        "Completed",
    ),
    "module_created": (
        "core.course_module_created",
        "core.course_module_created",
        f"{STREAMS}create",
        "Created",
    ),
    "viewed": ("{mod}.course_module_viewed", "all.course_module_viewed", f"{TINCAN}verb/viewed", "Viewed"),
    "module_completed": (
        "core.course_module_completion_updated",
        "core.course_module_completion_updated",
        f"{ADL}verbs/completed",
        "Completed",
    ),
    "uncompleted": (
        "core.course_module_completion_updated",
        "core.course_module_completion_updated",
        f"{EDLM}verbs/uncompleted",
        "Uncompleted",
    ),
    "quiz_started": (
        "mod_quiz.attempt_started",
        "mod_quiz.attempt_started",
        f"{STREAMS}schema/1.0/start",
        "Started",
    ),
    "quiz_submitted": (
        "mod_quiz.attempt_submitted",
        "mod_quiz.attempt_submitted.handler",
        f"{ADL}verbs/completed",
        "Completed",
    ),
    "quiz_answered": (
        "mod_quiz.attempt_submitted",
        "mod_quiz.attempt_submitted.handler",
        f"{ADL}verbs/answered",
        "Answered",
    ),
    "quiz_reviewed": (
        "mod_quiz.attempt_reviewed",
        "mod_quiz.attempt_reviewed",
        f"{STREAMS}schema/1.0/receive",
        "Received",
    ),
    "scorm_launched": (
        "mod_scorm.sco_launched",
        "mod_scorm.sco_launched",
        f"{ADL}verbs/launched",
        "Launched",
    ),
    "scorm_scored": (
        "mod_scorm.scoreraw_submitted",
        "mod_scorm.scoreraw_submitted",
        f"{ADL}verbs/completed",
        "Completed",
    ),
    "scorm_status": (
        "mod_scorm.status_submitted",
        "mod_scorm.status_submitted",
        f"{ADL}verbs/passed",
        "Passed",
    ),
    "discussion_viewed": (
        "mod_forum.discussion_viewed",
        "mod_forum.discussion_viewed",
        f"{TINCAN}verb/viewed",
        "Viewed",
    ),
    "discussion_created": (
        "mod_forum.discussion_created",
        "mod_forum.discussion_created",
        f"{STREAMS}create",
        "Created",
    ),
    "replied": ("mod_forum.post_created", "mod_forum.post_created", f"{TINCAN}verb/replied", "Replied"),
    "submitted": (
        "mod_assign.assessable_submitted",
        "mod_assign.assignment_submitted",
        f"{STREAMS}schema/1.0/submit",
        "Submitted",
    ),
    "assign_scored": (
        "mod_assign.submission_graded",
        "mod_assign.assignment_graded",
        "https://w3id.org/xapi/tla/verbs/scored",
        "Scored",
    ),
    "feedback_submitted": (
        "mod_feedback.response_submitted",
        "mod_feedback.response_submitted.handler",
        f"{STREAMS}schema/1.0/submit",
        "Submitted",
    ),
    "feedback_answered": (
        "mod_feedback.response_submitted",
        "mod_feedback.response_submitted.handler",
        f"{ADL}verbs/answered",
        "Answered",
    ),
}

#: Deeds whose object is not the module itself: the module is then the first parent.
INNER = {
    "quiz_started",
    "quiz_submitted",
    "quiz_answered",
    "quiz_reviewed",
    "scorm_launched",
    "scorm_scored",
    "scorm_status",
    "discussion_viewed",
    "discussion_created",
    "replied",
    "submitted",
    "assign_scored",
    "feedback_answered",
}
