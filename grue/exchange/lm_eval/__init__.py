"""Results of lm-evaluation-harness (``lm_eval`` 0.4, its ``EvaluationTracker`` and ``EvalResults``), out and in."""
