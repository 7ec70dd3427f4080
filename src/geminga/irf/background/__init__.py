"""Background rates of an instrument."""
