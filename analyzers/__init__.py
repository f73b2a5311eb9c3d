"""Pure analyses: frames in, typed results out."""
