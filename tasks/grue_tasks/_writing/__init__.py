"""Helpers of the generators that write the embedded rows: drawing, word lists, German noun phrases."""
