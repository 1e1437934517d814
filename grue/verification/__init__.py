"""Whether a run is what it claims to be."""
