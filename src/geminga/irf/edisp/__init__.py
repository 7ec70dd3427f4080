"""Energy dispersion."""
