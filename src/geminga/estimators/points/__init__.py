"""Estimators of flux points: spectra and light curves."""
