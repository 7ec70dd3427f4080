"""Files of response functions."""
