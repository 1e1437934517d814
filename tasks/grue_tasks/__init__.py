"""The built-in tasks, one package each, found by the entry point group ``grue.tasks``."""
