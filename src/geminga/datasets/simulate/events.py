"""Event lists drawn from the models, responses and background of a dataset."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Table

from geminga.data import EventList
from geminga.datasets.products import label
from geminga.datasets.simulate import header
from geminga.datasets.simulate.background import draw_counts
from geminga.datasets.simulate.columns import Columns, chosen, coords_of, in_field, joined, numbers_of, to_table, true_columns
from geminga.datasets.simulate.errors import SourceErrors
from geminga.datasets.simulate.sources import draw_photons
from geminga.datasets.simulate.times import good_time
from geminga.errors import DataError, GeometryError, InputError
from geminga.utils.random import get_random_state
from geminga.utils.time import time_ref_to_dict
from geminga.utils.units import as_quantity

__all__ = ["MapDatasetEventSampler"]


class MapDatasetEventSampler:
    """Draw events from a dataset: those of its sky models, seen through its responses, and those of its background.

    Parameters
    ----------
    random_state : int, "random-seed", "global-rng", RandomState or Generator
        A seed gives the same events each time.
    oversample_energy_factor : int
        Parts of each bin of true energy in which flux times exposure is taken to be a power law.
    t_delta : Quantity
        Step in time of variable sources; phase curves need none.
    keep_mc_id : bool
        Keep the column ``MC_ID``, the number of the model of each event, and the keywords that name them.
    n_event_bunch : int
        No effect, all events are drawn together; kept for scripts that give it.

    Raises
    ------
    InputError
        If an option is not a positive number.

    Notes
    -----
    Photons of a point source come from its position, those of other shapes from cells which are small against them. Energies
    between the nodes of a response are drawn from those of the nodes around, see `geminga.irf.sample`. Events which a
    response loses, or which fall outside the pixels and energies of the dataset, are dropped. Masks are not applied. Systematic
    errors among the models act as in the prediction.

    Examples
    --------
    >>> from geminga.cli.simulate import empty_field, true_models
    >>> from geminga.datasets import MapDatasetEventSampler
    >>> dataset = empty_field()
    >>> dataset.models = true_models(dataset.name)
    >>> events = MapDatasetEventSampler(random_state=42).run(dataset)
    >>> [events.table.meta[f"MMN0000{i}"] for i in range(3)]
    ['demo-bkg', 'star', 'nebula']
    """

    event_list_meta = staticmethod(header.event_list_meta)
    event_det_coords = staticmethod(header.event_det_coords)

    def __init__(
        self,
        random_state: Any = "random-seed",
        oversample_energy_factor: int = 10,
        t_delta: Any = 0.5 * u.s,
        keep_mc_id: bool = True,
        n_event_bunch: int = 10000,
    ) -> None:
        if isinstance(oversample_energy_factor, bool) or not int(oversample_energy_factor) == oversample_energy_factor >= 1:
            msg = (
                f"{type(self).__name__}: oversample_energy_factor is {oversample_energy_factor!r}; expected a whole number >= 1."
            )
            raise InputError(msg)
        self.random_state = get_random_state(random_state)
        self.oversample_energy_factor = int(oversample_energy_factor)
        self.t_delta = as_quantity(t_delta, "s", "t_delta")
        if not self.t_delta.value > 0:
            msg = f"{type(self).__name__}: t_delta is {t_delta}; expected a positive duration."
            raise InputError(msg)
        self.keep_mc_id = keep_mc_id
        self.n_event_bunch = n_event_bunch

    # ---- parts -------------------------------------------------------------------------------

    def _true_sources(self, dataset: Any, gti: Any) -> tuple[Columns, dict[str, Any]]:
        """Photons of the sky models, and the keywords that name these."""
        models = {i: model for i, model in header.model_identifiers(dataset).items() if hasattr(model, "apply_irf")}
        if models and dataset.exposure is None:
            msg = f"{type(self).__name__}: {label(dataset)} has no exposure, which sky models need; set dataset.exposure."
            raise DataError(msg)
        factor, rng = self.oversample_energy_factor, self.random_state
        drawn = {i: draw_photons(dataset, model, gti, factor, self.t_delta, rng) for i, model in models.items()}
        return true_columns(drawn), header.model_keywords(dataset, drawn)

    def _background(self, dataset: Any, gti: Any) -> tuple[Columns, dict[str, Any]]:
        """Events to which no response is applied, and the keywords that name their models."""
        drawn, what = {}, f"Background of {label(dataset)}"
        for number, model in header.model_identifiers(dataset).items():
            if number == 0:
                drawn[number] = draw_counts(dataset.npred_background(), gti, self.random_state, what)
            elif not hasattr(model, "apply_irf"):
                drawn[number] = draw_counts(dataset.npred_signal([model.name]), gti, self.random_state, what)
        columns = true_columns(drawn)
        columns |= {name: columns[f"{name}_TRUE"] for name in ("ENERGY", "RA", "DEC")}
        return columns, header.model_keywords(dataset, drawn)

    def sample_sources(self, dataset: Any, psf_update: bool = False) -> Table:
        """Draw photons of the sky models.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with models and exposure.
        psf_update : bool
            No effect; kept for scripts that give it.

        Returns
        -------
        events : Table
            ``TIME``, ``ENERGY_TRUE``, ``RA_TRUE``, ``DEC_TRUE`` and ``MC_ID``; the meta data name the models.

        Raises
        ------
        DataError, GeometryError, InputError
            If there is no exposure, no image, or no good time.
        """
        columns, keywords = self._true_sources(dataset, good_time(dataset, type(self).__name__))
        return to_table(columns, dataset.gti.time_ref, keywords)

    def sample_background(self, dataset: Any) -> Table:
        """Draw events of the background, and of templates of counts.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with a background, which is multiplied by its model if there is one.

        Returns
        -------
        events : Table
            As of `sample_sources`, with ``ENERGY``, ``RA`` and ``DEC`` equal to the true ones; the background has ``MC_ID`` 0.

        Raises
        ------
        DataError, InputError
            If expected counts are negative or not finite, or there is no good time.
        """
        columns, keywords = self._background(dataset, good_time(dataset, type(self).__name__))
        return to_table(columns, dataset.gti.time_ref, keywords)

    def sample_edisp(self, edisp_map: Any, events_table: Table) -> Table:
        """Draw reconstructed energies.

        Parameters
        ----------
        edisp_map : EDispMap or EDispKernelMap
            Energy dispersion.
        events_table : Table
            ``ENERGY_TRUE``, ``RA_TRUE`` and ``DEC_TRUE``; it is changed.

        Returns
        -------
        events : Table
            The table, with ``ENERGY``, TeV; NaN where the energy dispersion is empty.
        """
        found = self._with_energy(edisp_map, numbers_of(events_table, ("ENERGY_TRUE", "RA_TRUE", "DEC_TRUE")))
        events_table["ENERGY"] = found["ENERGY"] * u.TeV
        return events_table

    def sample_psf(self, psf_map: Any, events_table: Table) -> Table:
        """Draw reconstructed positions.

        Parameters
        ----------
        psf_map : PSFMap or RecoPSFMap
            PSF; one in reconstructed energy needs the column ``ENERGY``.
        events_table : Table
            ``ENERGY_TRUE``, ``RA_TRUE`` and ``DEC_TRUE``; it is changed.

        Returns
        -------
        events : Table
            The table, with ``RA`` and ``DEC``, deg; NaN where the PSF is empty.
        """
        found = self._with_position(psf_map, numbers_of(events_table, (_energy_column(psf_map), "RA_TRUE", "DEC_TRUE")))
        events_table["RA"], events_table["DEC"] = found["RA"] * u.deg, found["DEC"] * u.deg
        return events_table

    def _with_energy(self, edisp: Any, columns: Columns) -> Columns:
        coords = edisp.sample_coord(coords_of(columns, "energy_true", "ENERGY_TRUE"), self.random_state)
        return columns | {"ENERGY": u.Quantity(coords["energy"]).to_value("TeV")}

    def _with_position(self, psf: Any, columns: Columns) -> Columns:
        coords = psf.sample_coord(coords_of(columns, psf.energy_name, _energy_column(psf)), self.random_state)
        return columns | {"RA": coords.lon, "DEC": coords.lat}

    # ---- all ---------------------------------------------------------------------------------

    def _seen(self, dataset: Any, columns: Columns) -> Columns:
        """Photons of sky models with the responses which each model asks for."""
        models = header.model_identifiers(dataset)
        errors = {i: SourceErrors.create(dataset, model) for i, model in models.items() if hasattr(model, "apply_irf")}
        errors = {i: one for i, one in errors.items() if (one.energy_scale, one.psf_scale) != (1, 1)}
        energy, columns = columns["ENERGY_TRUE"], columns | {"ENERGY_TRUE": columns["ENERGY_TRUE"].copy()}
        for i, one in errors.items():
            columns["ENERGY_TRUE"][columns["MC_ID"] == i] *= one.energy_scale
        columns |= {name: columns[f"{name}_TRUE"].copy() for name in ("ENERGY", "RA", "DEC")}
        # The energy first: a PSF may be in reconstructed energy.
        for irf, response, apply in (("edisp", dataset.edisp, self._with_energy), ("psf", dataset.psf, self._with_position)):
            asking = [i for i, model in models.items() if i and getattr(model, "apply_irf", {irf: False})[irf]]
            rows = np.isin(columns["MC_ID"], asking)
            if response is None or not rows.any():
                continue
            for name, values in apply(response, chosen(columns, rows)).items():
                columns[name] = columns[name].copy()
                columns[name][rows] = values
        # Without PSF the two positions are the same.
        for i, one in errors.items():
            rows = columns["MC_ID"] == i
            true, seen = ((columns[f"RA{end}"][rows], columns[f"DEC{end}"][rows]) for end in ("_TRUE", ""))
            columns["RA"][rows], columns["DEC"][rows] = one.widened(true, seen)
        return columns | {"ENERGY_TRUE": energy}

    def run(self, dataset: Any, observation: Any = None) -> EventList:
        """Draw events.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with models, responses, background and good time.
        observation : Observation, optional
            Gives keywords and the positions in the field of view.

        Returns
        -------
        events : EventList
            Ordered by time.

        Raises
        ------
        GeometryError
            If the dataset is of a region.
        DataError, InputError
            See `sample_sources` and `sample_background`.
        """
        if dataset._geom.is_region:
            msg = f"{type(self).__name__}: {label(dataset)} is of a region; events are drawn on images, use a MapDataset."
            raise GeometryError(msg)
        gti = good_time(dataset, type(self).__name__)
        sources, names = self._true_sources(dataset, gti)
        background, more = self._background(dataset, gti)
        columns = joined([self._seen(dataset, sources), background])
        columns = chosen(columns, in_field(dataset._geom, columns))
        columns = chosen(columns, np.argsort(columns["TIME"], kind="stable"))
        columns["EVENT_ID"] = np.arange(len(columns["TIME"]))
        meta = time_ref_to_dict(gti.time_ref, gti.time_ref.scale) | {"TIMEUNIT": "s"}
        if self.keep_mc_id:
            meta |= names | more
        else:
            del columns["MC_ID"]
        if observation is None:
            return EventList(to_table(columns, gti.time_ref, meta))
        meta |= self.event_list_meta(dataset, observation, self.keep_mc_id)
        return self.event_det_coords(observation, EventList(to_table(columns, gti.time_ref, meta)))

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _energy_column(psf: Any) -> str:
    return "ENERGY" if psf.energy_name == "energy" else "ENERGY_TRUE"
