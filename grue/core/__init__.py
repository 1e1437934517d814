"""Values and contracts that every other layer speaks: standard library and numpy only."""
