"""Estimators of maps."""
