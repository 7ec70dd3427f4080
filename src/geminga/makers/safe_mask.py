"""Which bins of a dataset can be trusted."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import numpy as np
from astropy import units as u

from geminga.datasets.products import label
from geminga.datasets.replace import with_parts
from geminga.errors import DataError, InputError
from geminga.makers.base import Maker
from geminga.makers.map import pointing_of
from geminga.makers.masks import near_pointing, uniform_mask
from geminga.makers.thresholds import bias_threshold, crossing, dl3_area, dl3_background, dl3_kernel
from geminga.maps import Map
from geminga.utils.units import as_quantity

__all__ = ["SafeMaskMaker"]

log = logging.getLogger(__name__)


class SafeMaskMaker(Maker):
    """Make the safe mask of a dataset: the bins that pass all criteria.

    Parameters
    ----------
    methods : list of str
        Criteria:

        * ``"aeff-default"``: the thresholds ``LO_THRES`` and ``HI_THRES`` in the file of the effective area.
        * ``"aeff-max"``: energies above that at which the effective area first reaches a fraction of its maximum.
        * ``"edisp-bias"``: energies above that at which the bias of the energy falls below a value.
        * ``"offset-max"``: pixels nearer to the pointing than a distance.
        * ``"bkg-peak"``: energies from the bin with most background counts on.
    aeff_percent, bias_percent : float
        The fraction and the value, in percent.
    position : SkyCoord, optional
        Where effective area and bias are taken; the centre of the dataset if neither it nor `fixed_offset` is given.
    fixed_offset : Quantity, optional
        Distance from the pointing at which they are taken instead.
    offset_max : str or Quantity
        The distance.
    irfs : {"DL4", "DL3"}
        Take them from the maps of the dataset, or from the tables of the observation.

    Raises
    ------
    InputError
        If a method is unknown, or both `position` and `fixed_offset` are given.

    Notes
    -----
    Bins with a background that is negative or not a number are never safe, nor are pixels without background at any energy.
    Bins of other pixels with a background of zero are kept: no event was expected, and that none was seen counts.

    Examples
    --------
    >>> from geminga.makers import SafeMaskMaker
    >>> print(SafeMaskMaker(methods=["offset-max"], offset_max="2 deg"))
    SafeMaskMaker
    -------------
    <BLANKLINE>
      methods      : {'offset-max'}
      aeff_percent : 10
      bias_percent : 10
      offset_max   : 2.0 deg
      irfs         : DL4
    <BLANKLINE>
    """

    tag: ClassVar[str] = "SafeMaskMaker"
    available_methods: ClassVar[set[str]] = {"aeff-default", "aeff-max", "edisp-bias", "offset-max", "bkg-peak"}
    shown: ClassVar[tuple[str, ...]] = (
        "methods",
        "aeff_percent",
        "bias_percent",
        "position",
        "fixed_offset",
        "offset_max",
        "irfs",
    )

    def __init__(
        self,
        methods: Any = ["aeff-default"],  # noqa: B006  (as in gammapy, and never changed)
        aeff_percent: float = 10,
        bias_percent: float = 10,
        position: Any = None,
        fixed_offset: Any = None,
        offset_max: Any = "3 deg",
        irfs: str = "DL4",
    ) -> None:
        self.methods = {methods} if isinstance(methods, str) else set(methods)
        unknown = self.methods - self.available_methods
        if unknown:
            msg = f"SafeMaskMaker: {unknown} is not a valid method; choose from {', '.join(sorted(self.available_methods))}."
            raise InputError(msg)
        if position is not None and fixed_offset is not None:
            msg = f"SafeMaskMaker got both position={position} and fixed_offset={fixed_offset}; give one of them."
            raise InputError(msg)
        if irfs not in {"DL3", "DL4"}:
            msg = f"SafeMaskMaker: irfs is {irfs!r}; expected 'DL3' (tables) or 'DL4' (maps)."
            raise InputError(msg)
        if not (0 <= aeff_percent <= 100 and bias_percent >= 0):
            msg = f"SafeMaskMaker: aeff_percent is {aeff_percent}, bias_percent {bias_percent}; expected 0 to 100, and above 0."
            raise InputError(msg)
        self.aeff_percent, self.bias_percent = aeff_percent, bias_percent
        self.position, self.irfs = position, irfs
        self.fixed_offset = None if fixed_offset is None else as_quantity(fixed_offset, "deg", "fixed_offset")
        self.offset_max = as_quantity(offset_max, "deg", "offset_max")
        if not self.offset_max >= 0 * u.deg:
            msg = f"SafeMaskMaker: offset_max is {offset_max}; expected an angle that is not negative."
            raise InputError(msg)

    # ---- where ---------------------------------------------------------------------------------

    def _position(self, dataset: Any, observation: Any) -> Any:
        if self.position is not None:
            return self.position
        if self.fixed_offset is None:
            return dataset._geom.center_skydir
        _need(observation, "fixed_offset")
        pointing = pointing_of(observation)
        return pointing.directional_offset_by(0 * u.deg, self.fixed_offset)

    def _offset(self, dataset: Any, observation: Any) -> u.Quantity:
        if self.fixed_offset is not None:
            return self.fixed_offset
        pointing = pointing_of(observation)
        return self._position(dataset, observation).separation(pointing)

    # ---- criteria ------------------------------------------------------------------------------

    def make_mask_offset_max(self, dataset: Any, observation: Any) -> Any:
        """Map of bool: pixel centres nearer to the pointing than ``offset_max``.

        Parameters
        ----------
        dataset : MapDataset
            Dataset.
        observation : Observation
            Observation.

        Raises
        ------
        InputError
            If there is no observation.
        """
        _need(observation, "offset-max")
        geom = dataset._geom
        near = near_pointing(observation, geom, self.offset_max.value)
        return Map.from_geom(geom, data=np.broadcast_to(near, geom.data_shape).copy(), dtype=bool)

    @staticmethod
    def make_mask_energy_aeff_default(dataset: Any, observation: Any) -> Any:
        """Map of bool: energies between ``LO_THRES`` and ``HI_THRES`` (TeV) of the effective area.

        Parameters
        ----------
        dataset : MapDataset
            Dataset.
        observation : Observation
            Observation.

        Raises
        ------
        InputError
            If there is no observation.
        """
        _need(observation, "aeff-default")
        meta = observation.aeff.meta
        limits: list[Any] = []
        for key in ("LO_THRES", "HI_THRES"):
            value = meta.get(key)
            if value is None:
                log.warning("Observation %s: the effective area has no %s; that side is not cut.", observation.obs_id, key)
                limits.append(None)
                continue
            try:
                limits.append(u.Quantity(float(value), "TeV"))
            except ValueError as error:
                msg = f"Observation {observation.obs_id}: {key} of the effective area is {value!r}; expected an energy in TeV."
                raise DataError(msg) from error
        return dataset._geom.energy_mask(energy_min=limits[0], energy_max=limits[1])

    def make_mask_energy_aeff_max(self, dataset: Any, observation: Any = None) -> Any:
        """Map of bool: energies above that at which the effective area first reaches ``aeff_percent`` of its maximum.

        It is false everywhere, with a warning, if the effective area is zero there.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with an exposure.
        observation : Observation, optional
            Observation; needed for tables (``irfs="DL3"``) and `fixed_offset`.
        """
        geom = dataset._geom
        if self.irfs == "DL3":
            _need(observation, "aeff-max on DL3")
            energy, area, edges = dl3_area(observation, self._offset(dataset, observation))
        else:
            position = self._position(dataset, observation)
            spectrum = _need_part(dataset, "exposure").to_region_nd_map(position)
            axis = spectrum.geom.axes["energy_true"]
            energy, area, edges = axis.center.to_value("TeV"), spectrum.frozen_data.ravel(), axis.edges.to_value("TeV")
        if not (area > 0).any():
            log.warning("%s: the effective area is zero there, no energy is safe; mask_safe is false everywhere.", label(dataset))
            return uniform_mask(geom, False)
        threshold = crossing(energy, area, 0.01 * self.aeff_percent * area.max(), edges, sharp=self.irfs == "DL4")
        return geom.energy_mask(energy_min=u.Quantity(threshold, "TeV"))

    def make_mask_energy_edisp_bias(self, dataset: Any, observation: Any = None) -> Any:
        """Map of bool: energies above that at which the bias of the energy falls below ``bias_percent``.

        It is false everywhere, with a warning, if the bias is larger at all energies.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with an energy dispersion.
        observation : Observation, optional
            Observation; needed for tables (``irfs="DL3"``) and `fixed_offset`.
        """
        geom = dataset._geom
        if self.irfs == "DL3":
            _need(observation, "edisp-bias on DL3")
            kernel = dl3_kernel(observation, self._offset(dataset, observation))
        else:
            position = self._position(dataset, observation)
            kernel = _need_part(dataset, "edisp").get_edisp_kernel(position=position, energy_axis=geom.axes["energy"])
        threshold = bias_threshold(kernel, 0.01 * self.bias_percent)
        if threshold is None:
            log.warning(
                "%s: the bias of the energy is above %s %% at all energies; mask_safe is false everywhere.",
                label(dataset),
                self.bias_percent,
            )
            return uniform_mask(geom, False)
        return geom.energy_mask(energy_min=threshold)

    def make_mask_energy_bkg_peak(self, dataset: Any, observation: Any = None) -> Any:
        """Map of bool: energies from the bin with most background counts on.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with a background.
        observation : Observation, optional
            Observation; needed for tables (``irfs="DL3"``).
        """
        geom = dataset._geom
        if self.irfs == "DL3":
            _need(observation, "bkg-peak on DL3")
            counts, edges = dl3_background(observation, self._offset(dataset, observation))
        else:
            background = _need_part(dataset, "background")
            counts = np.nan_to_num(background.frozen_data).sum(axis=(-2, -1))
            edges = geom.axes["energy"].edges
        return geom.energy_mask(energy_min=edges[int(np.argmax(counts))])

    @staticmethod
    def make_mask_bkg_invalid(dataset: Any) -> Any:
        """Map of bool: a background that is a number and not negative, in pixels that have some at any energy.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with a background.
        """
        data = _need_part(dataset, "background").frozen_data
        valid = np.isfinite(data) & (data >= 0)
        seen = (valid & (data > 0)).any(axis=0)
        return Map.from_geom(dataset._geom, data=valid & seen, dtype=bool)

    # ---- all -----------------------------------------------------------------------------------

    def run(self, dataset: Any, observation: Any = None) -> Any:
        """Narrow the safe mask of a dataset.

        Parameters
        ----------
        dataset : MapDataset
            Dataset; it is not changed.
        observation : Observation, optional
            Observation; some methods need it.

        Returns
        -------
        dataset : MapDataset
            The same dataset (its maps are shared) with the new safe mask.

        Raises
        ------
        InputError, DataError
            If a method needs the observation, or a map the dataset does not have.
        """
        makers = {
            "aeff-default": self.make_mask_energy_aeff_default,
            "aeff-max": self.make_mask_energy_aeff_max,
            "edisp-bias": self.make_mask_energy_edisp_bias,
            "offset-max": self.make_mask_offset_max,
            "bkg-peak": self.make_mask_energy_bkg_peak,
        }
        geom = dataset._geom
        data = np.ones(geom.data_shape, bool) if dataset.mask_safe is None else dataset.mask_safe.frozen_data.copy()
        for method in sorted(self.methods):
            data &= makers[method](dataset, observation).frozen_data
        if getattr(dataset, "background", None) is not None and not hasattr(dataset, "counts_off"):
            data &= self.make_mask_bkg_invalid(dataset).frozen_data
        return with_parts(dataset, mask_safe=Map.from_geom(geom, data=data, dtype=bool))


def _need(observation: Any, what: str) -> None:
    if observation is None:
        msg = f"SafeMaskMaker: {what} needs the observation; call run(dataset, observation)."
        raise InputError(msg)


def _need_part(dataset: Any, name: str) -> Any:
    part = getattr(dataset, name)
    if part is None:
        msg = f"SafeMaskMaker: {label(dataset)} has no {name}, which a method needs; make it first or leave the method out."
        raise DataError(msg)
    return part
