"""Plain functions on float arrays in canonical units."""
