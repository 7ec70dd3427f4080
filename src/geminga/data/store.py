"""A store of observations: two index tables, and the files they name."""

from __future__ import annotations

import html
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geminga.data import checks
from geminga.data.hdu_index import HDUIndexTable, same_id
from geminga.data.io.store import check_outdir, copy_files, tables_of_files
from geminga.data.obs_table import ObservationTable
from geminga.data.observation import Observation
from geminga.data.observations import Observations
from geminga.errors import FormatError, InputError, NameLookupError
from geminga.utils.files import file_path, make_path

__all__ = ["DataStore"]

log = logging.getLogger(__name__)

#: What observations must have, by what they are for.
REQUIRED_IRFS: dict[str, list[str]] = {
    "full-enclosure": ["aeff", "edisp", "psf", "bkg"],
    "point-like": ["aeff", "edisp"],
    "all-optional": [],
}
_IRFS = ("aeff", "edisp", "psf", "bkg", "rad_max")


class DataStore:
    """Store of observations.

    Parameters
    ----------
    hdu_table : HDUIndexTable
        Which HDU is where.
    obs_table : ObservationTable, optional
        Observations.

    Notes
    -----
    Opening a store reads the index tables; files of observations are read when their content is used.

    Examples
    --------
    >>> from geminga.data import DataStore
    >>> store = DataStore.from_dir("$GAMMAPY_DATA/hess-dl3-dr1")  # doctest: +SKIP
    >>> observations = store.get_observations([23523, 23526])  # doctest: +SKIP
    """

    DEFAULT_HDU_TABLE = "hdu-index.fits.gz"
    DEFAULT_OBS_TABLE = "obs-index.fits.gz"

    def __init__(self, hdu_table: Any = None, obs_table: Any = None) -> None:
        self.hdu_table = hdu_table
        self.obs_table = obs_table

    # Opening

    @classmethod
    def from_file(
        cls, filename: str | Path, hdu_hdu: Any = "HDU_INDEX", hdu_obs: Any = "OBS_INDEX", *, allow_outside: bool = False
    ) -> DataStore:
        """Open a store with both tables in one file.

        Parameters
        ----------
        filename : str or Path
            File.
        hdu_hdu, hdu_obs : str or int
            HDU of the index of HDUs, and of observations; the latter may be missing.
        allow_outside : bool
            Let the index name files outside of the folder it is in.

        Raises
        ------
        FileError, FormatError
            If the index cannot be read.
        """
        hdu_table = HDUIndexTable.read(filename, hdu=hdu_hdu)
        try:
            obs_table = ObservationTable.read(filename, hdu=hdu_obs)
        except NameLookupError:
            obs_table = None
        return cls._with(hdu_table, obs_table, allow_outside)

    @classmethod
    def _with(cls, hdu_table: HDUIndexTable, obs_table: Any, allow_outside: bool) -> DataStore:
        if allow_outside:
            hdu_table.meta["ALLOW_OUTSIDE"] = True
        return cls(hdu_table, obs_table)

    @classmethod
    def from_dir(
        cls, base_dir: str | Path, hdu_table_filename: Any = None, obs_table_filename: Any = None, *, allow_outside: bool = False
    ) -> DataStore:
        """Open the store of a folder.

        Parameters
        ----------
        base_dir : str or Path
            Folder; a name such as ``$GAMMAPY_DATA/hess-dl3-dr1`` may begin with an environment variable.
        hdu_table_filename, obs_table_filename : str, optional
            Names of the index files; by default `DEFAULT_HDU_TABLE` and `DEFAULT_OBS_TABLE`, of which the latter may be missing.
        allow_outside : bool
            Let the index name files outside of the store. The store is the folder, or, if this is called ``index`` or lies in
            a folder of that name, the folder which holds ``index``.

        Raises
        ------
        FileError, FormatError
            If the index cannot be read.
        """
        folder = file_path(base_dir)
        hdu_path = folder / (make_path(hdu_table_filename) or cls.DEFAULT_HDU_TABLE)
        hdu_table = HDUIndexTable.read(hdu_path)
        hdu_table.base_dir = folder
        obs_path = folder / (make_path(obs_table_filename) or cls.DEFAULT_OBS_TABLE)
        if obs_table_filename is None and not obs_path.exists():
            log.info("Cannot find the index of observations %s; going on without.", obs_path)
            return cls._with(hdu_table, None, allow_outside)
        return cls._with(hdu_table, ObservationTable.read(obs_path), allow_outside)

    @classmethod
    def from_events_files(cls, events_paths: Sequence[Any], irfs_paths: Any = None) -> DataStore:
        """Make a store of event files, from their headers.

        Parameters
        ----------
        events_paths : sequence of str or Path
            Files of events.
        irfs_paths : str, Path or sequence, optional
            File of response functions, for all or for each. By default that of the calibration database which the header names
            (environment variable ``CALDB``), or else the file of events itself.

        Raises
        ------
        FileError
            If a file cannot be read.
        InputError
            If there is no file, or numbers of files differ.
        """
        return cls(*tables_of_files(events_paths, irfs_paths))

    # Observations

    @property
    def obs_ids(self) -> Any:
        """Identifiers of all observations."""
        return self.hdu_table.obs_id_unique if self.obs_table is None else np.asarray(self.obs_table["OBS_ID"])

    def obs(self, obs_id: Any, required_irf: Any = "full-enclosure", require_events: bool = True) -> Observation:
        """One observation.

        Parameters
        ----------
        obs_id : int or str
            Identifier.
        required_irf : str or list of str
            What it must have: ``"full-enclosure"`` (aeff, edisp, psf, bkg), ``"point-like"`` (aeff, edisp), ``"all-optional"``
            (none), or a list of names.
        require_events : bool
            Must it have events and good time.

        Raises
        ------
        NameLookupError
            If there is no such observation, or a name is not known.
        FormatError
            If it lacks something that is required.
        """
        required = _required(required_irf)
        if not same_id(self.hdu_table["OBS_ID"], obs_id).any():
            raise _unknown(obs_id)
        rows = self.hdu_table.row_idx(obs_id)
        part = self.hdu_table[rows]
        parts = next(iter(part.locations_by_observation().values()))
        return _observation(obs_id, parts, required, require_events)

    def get_observations(
        self,
        obs_id: Any = None,
        skip_missing: bool = False,
        required_irf: Any = "full-enclosure",
        require_events: bool = True,
        selection: Any = None,
    ) -> Observations:
        """Several observations.

        Parameters
        ----------
        obs_id : list of int or str, optional
            Identifiers; all by default.
        skip_missing : bool
            Leave out, with a warning, those which do not exist.
        required_irf : str or list of str
            What each must have, see `obs`. Those which lack something are left out, with a warning.
        require_events : bool
            Must each have events and good time.
        selection : dict or list of dict, optional
            Criteria, see `ObservationTable.select_observations`.

        Raises
        ------
        NameLookupError
            If one does not exist, or a name is not known.
        InputError
            If there is a selection and no table of observations.
        """
        required = _required(required_irf)
        found = Observations()
        by_id = self.hdu_table.locations_by_observation()
        for one in self._wanted(obs_id, selection):
            parts = by_id.get(str(one).strip())
            if parts is None:
                if not skip_missing:
                    raise _unknown(one)
                log.warning("Skipping missing obs_id: %s", one)
                continue
            try:
                found.append(_observation(one, parts, required, require_events))
            except FormatError as error:
                log.warning("Skipping run with missing HDUs; %s", error)
        return found

    def _wanted(self, obs_id: Any, selection: Any) -> list[Any]:
        wanted = self.obs_ids if obs_id is None else np.atleast_1d(np.asarray(obs_id))
        if selection is None:
            return list(wanted.tolist())
        if self.obs_table is None:
            msg = "DataStore: selection needs a table of observations, and the store has none."
            raise InputError(msg)
        chosen = {str(one).strip() for one in self.obs_table.select_observations(selection)["OBS_ID"].tolist()}
        return [one for one in wanted.tolist() if str(one).strip() in chosen]

    def get_observation_groups(
        self,
        key: str,
        obs_id: Any = None,
        skip_missing: bool = False,
        required_irf: Any = "full-enclosure",
        require_events: bool = True,
        selection: Any = None,
    ) -> dict[str, Observations]:
        """Observations grouped by a column of the table of observations.

        Parameters
        ----------
        key : str
            Column.
        obs_id, skip_missing, required_irf, require_events, selection
            See `get_observations`.

        Returns
        -------
        groups : dict
            ``<key>_<value>`` to observations.

        Raises
        ------
        NameLookupError
            If there is no such column.
        """
        if self.obs_table is None or key not in self.obs_table.colnames:
            known = [] if self.obs_table is None else self.obs_table.colnames
            msg = f"DataStore: the table of observations has no column {key!r}; it has {', '.join(known) or 'none'}."
            raise NameLookupError(msg)
        value_of = dict(zip(map(str, self.obs_table["OBS_ID"].tolist()), self.obs_table[key].tolist(), strict=True))
        groups: dict[str, Observations] = {}
        observations = self.get_observations(obs_id, skip_missing, required_irf, require_events, selection)
        for value in sorted({value_of[one] for one in observations.ids if one in value_of}, key=str):
            groups[f"{key}_{value}"] = Observations([o for o in observations if value_of.get(str(o.obs_id)) == value])
        return groups

    # Files and text

    def copy_obs(
        self, obs_id: Any, outdir: str | Path, hdu_class: Any = None, verbose: bool = False, overwrite: bool = False
    ) -> None:
        """Copy observations to another folder, with index tables; all files come to lie below that folder.

        Parameters
        ----------
        obs_id : list of int or str, or ObservationTable
            Observations.
        outdir : str or Path
            Folder, which is made.
        hdu_class : list of str, optional
            Classes of HDU to copy; all by default.
        verbose : bool
            Log each file.
        overwrite : bool
            Replace files.

        Raises
        ------
        NameLookupError
            If there is no such observation or class.
        FileExistsRefusal
            If files exist and `overwrite` is false.
        """
        folder = file_path(outdir)
        check_outdir(folder)
        wanted = obs_id["OBS_ID"].tolist() if isinstance(obs_id, ObservationTable) else np.atleast_1d(obs_id).tolist()
        classes = [None] if hdu_class is None else list(np.atleast_1d(hdu_class).tolist())
        rows = [row for one in wanted for name in classes for row in self.hdu_table.row_idx(one, hdu_class=name)]
        if not rows:
            msg = f"DataStore.copy_obs: no HDU of {classes} for the observations {wanted}."
            raise NameLookupError(msg)
        obs_table = None if self.obs_table is None else self.obs_table.select_obs_id(wanted)
        names = (self.DEFAULT_HDU_TABLE, self.DEFAULT_OBS_TABLE)
        copy_files(self.hdu_table[rows], obs_table, folder, overwrite, verbose, names)

    check = checks.check_store

    def info(self, show: bool = True) -> str | None:
        """Print (or return, with ``show=False``) what is in the store."""
        if not show:
            return str(self)
        print(self)
        return None

    def __str__(self) -> str:
        parts = ["Data store:", self.hdu_table.summary(), ""]
        parts.append("No observation index table." if self.obs_table is None else self.obs_table.summary())
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _required(required_irf: Any) -> list[str]:
    if isinstance(required_irf, str) or required_irf is None:
        names = REQUIRED_IRFS.get(str(required_irf))
        if names is None:
            msg = f"required_irf is {required_irf!r}; expected one of {', '.join(REQUIRED_IRFS)}, or a list of names."
            raise NameLookupError(msg)
        return names
    unknown = sorted(set(required_irf) - set(_IRFS))
    if unknown:
        msg = f"required_irf: {unknown} is not a valid hdu key. Choose from: {list(_IRFS)}."
        raise NameLookupError(msg)
    return list(required_irf)


def _unknown(obs_id: Any) -> NameLookupError:
    return NameLookupError(f"OBS_ID = {obs_id} not in HDU index table; give skip_missing=True to leave missing ones out.")


def _observation(obs_id: Any, parts: dict[str, Any], required: list[str], require_events: bool) -> Observation:
    missing = [name for name in [*(["events", "gti"] if require_events else []), *required] if name not in parts]
    if missing:
        msg = f"Required HDUs {missing} not found in observation {obs_id}; see required_irf and require_events."
        raise FormatError(msg)
    given = {name: part for name, part in parts.items() if name in {"events", "gti", *_IRFS}}
    return Observation(obs_id=obs_id, **given)
