"""Continuous batching: rows live in slots of keys and values, a finished row's slot goes to the next prompt at once."""
