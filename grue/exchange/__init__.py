"""Results to and from other formats and harnesses."""
