"""Metrics, one family a file, found through a literal table that imports nothing heavy."""
