"""Tasks about riddles."""
