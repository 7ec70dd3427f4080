"""Makers of backgrounds."""
