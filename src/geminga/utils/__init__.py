"""Helpers that belong to no subject."""
