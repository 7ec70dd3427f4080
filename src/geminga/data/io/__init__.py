"""Formats of observations' tables."""
