"""Files of datasets, one module a format."""
