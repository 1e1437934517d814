"""Run directories and prediction files: written atomically, resumed, read, checked."""
