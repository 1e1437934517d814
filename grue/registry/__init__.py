"""Finds task plugins: lists them without importing, loads one on demand."""
