"""A small LTI platform that looks like a session page of M@gistère, for the demonstration and the tests."""
