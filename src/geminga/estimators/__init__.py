"""Products: spectra, light curves and maps."""
