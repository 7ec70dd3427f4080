"""Files of fluxes: tables of points, light curves and profiles, and FITS files of maps."""
