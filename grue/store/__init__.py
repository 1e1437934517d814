"""The results store: an index over run directories, in SQLite or PostgreSQL, made again from them at any time."""
