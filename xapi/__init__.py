"""The learning record store; knows nothing of LTI or of pages."""
