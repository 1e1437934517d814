"""Words, sentences and common subsequences: text arithmetic that metrics share, pinned by versions."""
