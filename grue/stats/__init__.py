"""Intervals: arrays in, values out."""
