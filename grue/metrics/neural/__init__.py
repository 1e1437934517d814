"""Metrics that a checkpoint computes; torch and transformers are imported where a judge runs, never before."""
