"""Groups of similar rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import Table

from geminga.errors import DataError

__all__ = ["hierarchical_clustering", "standard_scaler"]

_IDENTIFIERS = ("obs_id", "dataset_name", "labels")


def _features(table: Table) -> list[str]:
    return [name for name in table.colnames if name not in _IDENTIFIERS]


def standard_scaler(features: Table) -> Table:
    """Bring the columns of a table to mean 0 and standard deviation 1.

    Parameters
    ----------
    features : Table
        Numbers; columns ``obs_id`` and ``dataset_name`` are left as they are.

    Returns
    -------
    scaled : Table
        New table, without units. A column of equal numbers becomes 0.

    Examples
    --------
    >>> from astropy.table import Table
    >>> from geminga.utils.cluster import standard_scaler
    >>> standard_scaler(Table({"a": [1.0, 3.0], "obs_id": [1, 2]}))["a"].tolist()
    [-1.0, 1.0]
    """
    scaled = features.copy()
    for name in _features(features):
        values = np.asarray(features[name], dtype=float)
        spread = values.std()
        scaled[name] = (values - values.mean()) / (spread if spread > 0 else 1.0)
        scaled[name].unit = None
    return scaled


def hierarchical_clustering(
    features: Table, linkage_kwargs: dict[str, Any] | None = None, fcluster_kwargs: dict[str, Any] | None = None
) -> Table:
    """Find groups of similar rows by hierarchical clustering.

    Parameters
    ----------
    features : Table
        Numbers, which should be scaled, see `standard_scaler`; columns ``obs_id`` and ``dataset_name`` do not count.
    linkage_kwargs : dict, optional
        Options of `scipy.cluster.hierarchy.linkage`, by default ``method="ward"``, ``metric="euclidean"``.
    fcluster_kwargs : dict, optional
        Options of `scipy.cluster.hierarchy.fcluster`, by default ``criterion="maxclust"``, ``t=3``: three groups.

    Returns
    -------
    features : Table
        Copy with a column ``labels``, numbers of groups from 1.

    Raises
    ------
    DataError
        If there are fewer than two rows, or numbers are not finite.

    Examples
    --------
    >>> from astropy.table import Table
    >>> from geminga.utils.cluster import hierarchical_clustering
    >>> table = Table({"a": [0.0, 0.1, 5.0, 5.1]})
    >>> labels = hierarchical_clustering(table, fcluster_kwargs={"t": 2})["labels"]
    >>> labels[0] == labels[1], labels[1] == labels[2]
    (np.True_, np.False_)
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    values = np.array([np.asarray(features[name], dtype=float) for name in _features(features)]).T
    if len(values) < 2 or not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        msg = f"hierarchical_clustering: got {len(values)} rows, {bad} numbers not finite; expected two rows or more, all finite."
        raise DataError(msg)
    tree = linkage(values, **({"method": "ward", "metric": "euclidean"} | (linkage_kwargs or {})))
    labelled = features.copy()
    labelled["labels"] = fcluster(tree, **({"criterion": "maxclust", "t": 3} | (fcluster_kwargs or {})))
    return labelled
