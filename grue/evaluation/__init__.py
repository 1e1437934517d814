"""Joins tasks, engines and metrics: plan, generate, score, write."""
