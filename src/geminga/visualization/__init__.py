"""Plots that are not methods: colour bars and maps of colours, panels, heat maps, distributions, violins."""

from __future__ import annotations

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        ".colormaps": ["colormap_hess", "colormap_milagro"],
        ".datasets": ["plot_npred_signal", "plot_spectrum_datasets_off_regions"],
        ".heatmap": ["annotate_heatmap", "plot_heatmap"],
        ".lines": ["plot_contour_line", "plot_theta_squared_table"],
        ".panels": ["MapPanelPlotter", "plot_distribution", "plot_map_rgb"],
        ".significance": ["plot_residual_distribution", "plot_significance_map"],
        ".spectra": ["plot_light_curve", "plot_sed"],
        ".violin": ["plot_samples_violin_vs_energy"],
        "geminga.maps.map.plot": ["add_colorbar"],
    },
)
