"""Groups of tasks."""

PUZZLES = ("riddles", "commongen")
