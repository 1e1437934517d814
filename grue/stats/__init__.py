"""Intervals, paired tests, ranking and sequential tests: arrays in, values out."""
