"""Two or more runs on the same rows."""
