"""Data reduction."""
