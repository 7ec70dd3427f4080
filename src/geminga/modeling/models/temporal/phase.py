"""A phase curve: periodic, with a frequency that drifts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from numpy.typing import ArrayLike, NDArray

from geminga.errors import DataError, FileError, FormatError
from geminga.modeling.models.base import build_parameters, named_file
from geminga.modeling.models.derivative import Evaluator, Result, current_values
from geminga.modeling.models.temporal import plot as figures
from geminga.modeling.models.temporal.base import TemporalModel, days_since
from geminga.modeling.parameter import Parameter
from geminga.numerics.light_curve_tables import PhaseTable
from geminga.utils.ecsv import read_ecsv, to_ecsv
from geminga.utils.files import make_path, read_fits, read_text, reading, write_files, write_fits

__all__ = ["TemplatePhaseCurveTemporalModel"]

Array = NDArray[np.float64]

_DAY = 86400.0


class TemplatePhaseCurveTemporalModel(TemporalModel):
    r"""Table against phase, interpolated linearly and repeated.

    .. math:: \phi(t) = \phi_{ref} + \Delta t\,(f_0 + \tfrac{\Delta t}{2}\,(f_1 + \tfrac{\Delta t}{3} f_2)),
        \quad \Delta t = t - t_{ref}

    Averages are integrated in phase, so that they hold for any number of periods and for a drifting frequency.

    Parameters
    ----------
    table : `~astropy.table.Table`
        Columns PHASE (increasing, 0 to 1) and NORM.
    filename : str, optional
        File, for model files.
    **kwargs
        ``normalize`` (default True: divide by the mean over a period), ``scale`` and the parameters: ``t_ref`` (MJD, default
        48442.5 d), ``phi_ref`` (default 0), ``f0`` (default 29.946923 1/s), ``f1`` (1/s2) and ``f2`` (1/s3), all frozen.

    Raises
    ------
    FormatError
        If a column is missing.
    DataError
        If phases do not increase within 0 to 1, or a value is not finite.

    Examples
    --------
    >>> from astropy import units as u
    >>> from astropy.table import Table
    >>> from astropy.time import Time
    >>> from geminga.modeling.models import TemplatePhaseCurveTemporalModel
    >>> table = Table({"PHASE": [0.0, 0.5, 1.0], "NORM": [0.0, 2.0, 0.0]})
    >>> model = TemplatePhaseCurveTemporalModel(table, t_ref=55555 * u.d, f0=1 / (4 * u.d))
    >>> print(model(Time(55557, format="mjd")))
    2.0
    """

    tag = ["TemplatePhaseCurveTemporalModel", "template-phase"]
    _dict_keys = frozenset({"type", "parameters", "scale", "filename", "normalize"})
    _shared = frozenset({"table", "_curve"})
    t_ref = Parameter("t_ref", 48442.5, unit="d", frozen=True)
    phi_ref = Parameter("phi_ref", 0.0, frozen=True)
    f0 = Parameter("f0", 29.946923, unit="s-1", frozen=True)
    f1 = Parameter("f1", 0.0, unit="s-2", frozen=True)
    f2 = Parameter("f2", 0.0, unit="s-3", frozen=True)

    def __init__(self, table: Any, filename: Any = None, **kwargs: Any) -> None:
        self.normalize = bool(kwargs.pop("normalize", True))
        self.filename = None if filename is None else str(make_path(filename))
        super().__init__(**kwargs)
        phase, norm = _columns(table)
        own = PhaseTable.periodic(phase, norm)
        if self.normalize:
            if not own.mean > 0:
                msg = f"TemplatePhaseCurveTemporalModel: the mean over a period is {own.mean}; expected more, or normalize=False."
                raise DataError(msg)
            norm = norm / own.mean
            own = PhaseTable.periodic(phase, norm)
        self._curve = own
        self.table = Table({"PHASE": phase, "NORM": norm})

    # Phase ------------------------------------------------------------------------------------------------------------

    def _phase(self, seconds: Array, phi_ref: float, f0: float, f1: float, f2: float) -> Array:
        return np.asarray(phi_ref + seconds * (f0 + seconds / 2 * (f1 + seconds / 3 * f2)))

    def evaluate(self, time: Any, t_ref: Any, phi_ref: Any, f0: Any, f1: Any, f2: Any) -> u.Quantity:
        """Evaluate at times (MJD, d)."""
        seconds = (u.Quantity(time, "d") - u.Quantity(t_ref, "d")).to_value("s")
        given = ((phi_ref, ""), (f0, "s-1"), (f1, "s-2"), (f2, "s-3"))
        phase = self._phase(seconds, *(u.Quantity(value).to_value(unit) for value, unit in given))
        return u.Quantity(self._curve.value(phase), "")

    def __call__(self, time: Any, energy: Any = None, **kwargs: Any) -> u.Quantity:
        """Evaluate at times; the time since the reference keeps all digits of `time`."""
        t_ref, *rest = self._canonical(current_values(self.parameters))
        origin = float(np.floor(t_ref))
        seconds = (days_since(Time(time), origin, self.scale) - (t_ref - origin)) * _DAY
        return u.Quantity(self._curve.value(self._phase(seconds, *rest)), "")

    def _factors(self) -> Array:
        pairs = zip(self.parameters, self.default_parameters, strict=True)
        return np.array([par.unit.to(default.unit) for par, default in pairs])

    def _canonical(self, values: ArrayLike) -> list[float]:
        return list((np.asarray(values, dtype=float) * self._factors()).tolist())

    # Averages ---------------------------------------------------------------------------------------------------------

    def _interval_evaluator(self, low: Array, high: Array, origin: float, energy: Array | None, n_nodes: int) -> Evaluator:
        factors, mean = self._factors(), self._curve.mean

        def evaluate(values: ArrayLike) -> Result:
            t_ref, *rest = self._canonical(values)
            ends = [self._boundary((days - (t_ref - origin)) * _DAY, *rest) for days in (low, high)]
            value = mean * (high - low) + (ends[1][0] - ends[0][0]) / _DAY
            gradient = (ends[1][1] - ends[0][1]) / _DAY
            return value, gradient * factors[:, None]

        return evaluate

    def _boundary(self, seconds: Array, phi_ref: float, f0: float, f1: float, f2: float) -> tuple[Array, Array]:
        """Integral of the excess over the mean up to a time, and its derivatives, both in s.

        Integration by parts of ``excess dt = excess dphi / nu``, as a series in ``nu' / nu^2``: two terms.
        """
        phase = self._phase(seconds, phi_ref, f0, f1, f2)
        nu, change = f0 + seconds * (f1 + seconds / 2 * f2), f1 + seconds * f2
        excess, once, twice = self._curve.excess(phase)
        value = once / nu + twice * change / nu**3
        by_phase = excess / nu + once * change / nu**3
        by_nu = -once / nu**2 - 3 * twice * change / nu**4
        by_change = twice / nu**3
        zero, one = np.zeros_like(seconds), np.ones_like(seconds)
        # Columns: derivatives of phase, nu and nu' by t_ref (per day), phi_ref, f0, f1, f2.
        inner = np.array(
            [
                [-nu * _DAY, -change * _DAY, -f2 * _DAY * one],
                [one, zero, zero],
                [seconds, one, zero],
                [seconds**2 / 2, seconds, one],
                [seconds**3 / 6, seconds**2 / 2, seconds],
            ]
        )
        return value, np.einsum("jcn,cn->jn", inner, np.stack([by_phase, by_nu, by_change]))

    def _natural_steps(self, span: float) -> Array:
        """Changes of the parameters in their units which matter over a span in days."""
        _, _, f0, _, _ = self._canonical(current_values(self.parameters))
        period = 1 / max(abs(f0) * _DAY, 1 / span)
        steps = [period, 1.0, *(1 / (span * _DAY) ** power for power in (1, 2, 3))]
        return np.array(steps) / self._factors()

    def _draw_days(self, n: int, low: Array, high: Array, origin: float, step: float, rng: Any, energy: Any) -> Array:
        """Times which follow the phase curve however short the period is: not drawn from a table, whatever the step."""
        t_ref, *rest = self._canonical(current_values(self.parameters))
        bounds = np.append(0.0, np.cumsum(high - low))
        highest, drawn = float(np.max(self._curve.values)), np.zeros(0)
        while len(drawn) < n:
            # Uniform times are kept with a probability proportional to the curve.
            elapsed = bounds[-1] * rng.uniform(size=max(int(n * highest / self._curve.mean), 16))
            which = np.clip(np.searchsorted(bounds, elapsed, side="right") - 1, 0, len(low) - 1)
            trial = low[which] + elapsed - bounds[which]
            rate = self._curve.value(self._phase((trial - (t_ref - origin)) * _DAY, *rest))
            drawn = np.append(drawn, trial[rng.uniform(size=len(trial)) * highest < rate])
        return drawn[:n]

    plot_phasogram = figures.plot_phasogram

    # Files ------------------------------------------------------------------------------------------------------------

    @classmethod
    def read(
        cls,
        path: Any,
        normalize: bool = True,
        t_ref: Any = 48442.5 * u.d,
        phi_ref: Any = 0,
        f0: Any = 29.946923 * u.s**-1,
        f1: Any = 0 * u.s**-2,
        f2: Any = 0 * u.s**-3,
    ) -> TemplatePhaseCurveTemporalModel:
        """Read the table from a FITS or ECSV file.

        Parameters
        ----------
        path : path
            File with columns PHASE and NORM.
        normalize : bool
            Divide by the mean over a period.
        t_ref, phi_ref, f0, f1, f2 : Quantity
            Parameters.

        Raises
        ------
        FileError, FormatError
            If it cannot be read, or a column is missing.
        """
        values = {"t_ref": t_ref, "phi_ref": phi_ref, "f0": f0, "f1": f1, "f2": f2}
        with reading(path):
            return cls(_read(path), filename=path, normalize=normalize, **values)

    def write(self, path: Any = None, overwrite: bool = False) -> None:
        """Write the table to a FITS or ECSV file.

        Parameters
        ----------
        path : path, optional
            File; that of the model if not given. A name which ends with "ecsv" makes an ECSV file.
        overwrite : bool
            Replace the file.

        Raises
        ------
        FileError
            If there is no file name, or the file exists and `overwrite` is false.
        """
        target = self.filename if path is None else path
        if target is None:
            msg = "TemplatePhaseCurveTemporalModel has no filename; set model.filename, or give a path."
            raise FileError(msg)
        if str(target).endswith("ecsv"):
            write_files({target: to_ecsv(self.table).encode()}, overwrite=overwrite)
        else:
            hdulist = fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(self.table, name="PHASECURVE")])
            write_fits(hdulist, target, overwrite=overwrite)
        self.filename = str(make_path(target))

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files; the table stands in its file."""
        data = super().to_dict(full_output)
        data["temporal"].update({"filename": self.filename, "normalize": self.normalize})
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> TemplatePhaseCurveTemporalModel:
        """Make a model from a dictionary as `to_dict` gives it, reading its file.

        Raises
        ------
        FormatError
            If the dictionary names no file.
        """
        entry = cls._entry(data, kwargs)
        path = named_file(entry, "phase curve", cls.__name__)
        own = build_parameters(entry.get("parameters") or [], cls.default_parameters, cls.__name__)
        settings = {"normalize": entry.get("normalize", True), "scale": entry.get("scale", "utc")}
        return cls(_read(path), filename=path, **settings, **{par.name: par for par in own})


def _columns(table: Any) -> tuple[Array, Array]:
    """Phases and values of a table, checked."""
    names = {name.upper(): name for name in table.colnames}
    missing = [name for name in ("PHASE", "NORM") if name not in names]
    if missing:
        msg = f"Phase curve: column {', '.join(missing)} is missing, there are {', '.join(table.colnames)}."
        raise FormatError(msg)
    phase, norm = (np.asarray(table[names[name]], dtype=float) for name in ("PHASE", "NORM"))
    increases = len(phase) > 1 and (np.diff(phase) > 0).all() and phase[0] >= 0 and phase[-1] <= 1
    if not increases or not np.isfinite(norm).all() or (norm < 0).any():
        msg = f"Phase curve: phases {phase} and values {norm}; expected phases which increase from 0 to 1 "
        msg += "and finite values which are not negative."
        raise DataError(msg)
    return phase, norm


def _read(path: Any) -> Table:
    if str(path).endswith("ecsv"):
        return read_ecsv(read_text(path), f"File {path}")
    tables = [hdu for hdu in read_fits(path) if isinstance(hdu, fits.BinTableHDU)]
    if not tables:
        msg = f"File {path} holds no table; expected one with columns PHASE and NORM."
        raise FormatError(msg)
    return Table.read(tables[0], format="fits")
