"""Reward functions, found through a literal table."""
