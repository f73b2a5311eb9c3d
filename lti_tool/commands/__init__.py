"""The commands of `estime`, by what they work on."""
