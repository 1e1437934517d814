"""An index over run directories in a database."""
