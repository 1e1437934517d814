"""Checkpoints as they lie on disk: found, read, hashed and loaded, for models under evaluation and judges alike."""
