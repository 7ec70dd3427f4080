"""`MapDatasetOnOff`: a map dataset whose background was measured in an off region."""

from __future__ import annotations

from typing import Any, ClassVar

from geminga.datasets import info, onoff
from geminga.datasets.io import gadf
from geminga.datasets.map.dataset import MapDataset
from geminga.datasets.products import RecoMap
from geminga.datasets.products_off import OffAcceptance, OffCounts
from geminga.errors import InputError

__all__ = ["MapDatasetOnOff"]


class MapDatasetOnOff(MapDataset):
    """Counts with off counts, acceptances, exposure, responses, masks and models.

    Parameters
    ----------
    models : Models, list of models or model, optional
        Those restricted to other datasets are left out.
    counts, counts_off : Map, optional
        Counts in the on region and in the off region, axis ``energy``. For a map each pixel has its own off region.
    acceptance, acceptance_off : Map, optional
        Acceptances of on and off region; only their ratio ``alpha`` matters.
    exposure : Map, optional
        Exposure in cm2 s or an equivalent unit, axis ``energy_true``.
    mask_fit, mask_safe : Map, optional
        Boolean maps on the geometry of `counts`: bins to be fitted, and bins fit for use.
    psf : PSFMap, optional
        Point spread function.
    edisp : EDispKernelMap or EDispMap, optional
        Energy dispersion.
    name : str, optional
        Name; random if not given.
    gti : GTI, optional
        Good time intervals.
    meta_table : Table, optional
        Table of the observations.
    meta : MapDatasetMetaData, optional
        Meta data.
    stat_type : {"wstat"}
        Fit statistic.

    Raises
    ------
    GeometryError, DataError, InputError
        If a part is of the wrong type or on another geometry than the counts, or a mask is not boolean.

    Notes
    -----
    Sums of bins and datasets add up counts, off counts and acceptances, and give the off acceptance that keeps the sum of the
    backgrounds, ``acceptance_off = acceptance counts_off / background``. Bins without off counts get the alpha of all bins
    together. (Versions of gammapy before 1.0 set the acceptance to 1 instead; ratio, background and statistic are the same.)
    """

    tag = "MapDatasetOnOff"
    stat_types: ClassVar[tuple[str, ...]] = ("wstat",)
    spectrum_tag: ClassVar[str] = "SpectrumDatasetOnOff"
    empty_maps: ClassVar[tuple[str, ...]] = ("counts", "counts_off", "acceptance", "acceptance_off")
    checked_maps: ClassVar[tuple[str, ...]] = ("counts", "counts_off", "acceptance", "exposure")

    counts_off = OffCounts("Counts in the off region (`Map`).")
    acceptance = RecoMap("Acceptance of the on region (`Map`).")
    acceptance_off = OffAcceptance("Acceptance of the off region (`Map`).")
    background = property(onoff.background)
    alpha = property(onoff.alpha)
    excess_error = property(onoff.excess_error)

    def __init__(
        self,
        models: Any = None,
        counts: Any = None,
        counts_off: Any = None,
        acceptance: Any = None,
        acceptance_off: Any = None,
        exposure: Any = None,
        mask_fit: Any = None,
        psf: Any = None,
        edisp: Any = None,
        name: str | None = None,
        mask_safe: Any = None,
        gti: Any = None,
        meta_table: Any = None,
        meta: Any = None,
        stat_type: str = "wstat",
    ) -> None:
        given = {
            "counts": counts,
            "counts_off": counts_off,
            "acceptance": acceptance,
            "acceptance_off": acceptance_off,
            "exposure": exposure,
            "psf": psf,
            "edisp": edisp,
            "mask_safe": mask_safe,
            "mask_fit": mask_fit,
        }
        self._start(given, name=name, stat_type=stat_type, gti=gti, meta_table=meta_table, meta=meta, models=models)

    def _own_models(self, models: Any) -> Any:
        """Refuse a model of the background: it is measured, there is nothing to model."""
        for model in super()._own_models(models):
            if "fov-bkg" in model.tag:
                msg = (
                    f"{self.tag} {self.name!r}: its background is measured in the off region, so the background model "
                    f"{model.name!r} would have no effect; leave it out, or use to_map_dataset()."
                )
                raise InputError(msg)
        return models

    @property
    def has_statistic(self) -> bool:
        """Whether the fit statistic is defined: it needs counts, off counts and acceptances, but no models."""
        return onoff.is_complete(self)

    _faults = onoff.faults
    check_stackable = onoff.check_stackable
    npred_background = onoff.npred_background
    npred_off = onoff.npred_off
    expected_counts = onoff.expected_counts
    predicted_background = onoff.predicted_background
    stat_array = onoff.stat_array
    stat_sum = onoff.stat_sum

    info_sqrt_ts = info.wstat_sqrt_ts
    info_dict = info.info_dict_onoff
    summary_extra = info.off_lines

    fake = onoff.fake  # type: ignore[assignment]
    from_map_dataset = classmethod(onoff.from_map_dataset)
    to_map_dataset = onoff.to_map_dataset
    from_hdulist = classmethod(gadf.from_hdulist_onoff)  # type: ignore[assignment]
