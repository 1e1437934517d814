"""The check that a pipeline runs: rules, baselines, decisions, reports."""
