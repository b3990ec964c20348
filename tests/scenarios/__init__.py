"""Workflows as lists of steps that say what people do, run on every chat platform from one description."""
