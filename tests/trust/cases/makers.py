"""Makers that reduce observations to datasets."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np

from geminga.errors import ReductionError
from geminga.makers import (
    DatasetsMaker,
    FoVBackgroundMaker,
    MapDatasetMaker,
    PhaseBackgroundMaker,
    ReflectedRegionsBackgroundMaker,
    RingBackgroundMaker,
    SafeMaskMaker,
    SpectrumDatasetMaker,
)
from geminga.maps import Map
from tests.trust.cases import Scene, case, cases
from tests.unit.makers.builders import empty, observation


def reduced(maker: Any) -> Any:
    """Case that reduces an observation."""
    return lambda scene: maker().run(empty("sum"), observation(1))


cases(
    {
        "unknown map to be made": lambda scene: MapDatasetMaker(selection=["count"]),
        "unknown spectrum to be made": lambda scene: SpectrumDatasetMaker(selection=["count"]),
        "unknown method of a safe mask": lambda scene: SafeMaskMaker(methods=["aeff-min"]),
        "safe mask with an offset in TeV": lambda scene: SafeMaskMaker(methods=["offset-max"], offset_max="1 TeV"),
        "safe mask with 300 percent of the effective area": lambda scene: SafeMaskMaker(
            methods=["aeff-max"], aeff_percent=300
        ).run(MapDatasetMaker().run(empty("sum"), observation(1)), observation(1)),
        "unknown method of the background": lambda scene: FoVBackgroundMaker(method="fitt"),
        "exclusion mask of numbers": lambda scene: FoVBackgroundMaker(exclusion_mask=Map.create(npix=5)).make_exclusion_mask(
            empty("sum")
        ),
        "ring of negative width": lambda scene: RingBackgroundMaker(r_in="1 deg", width="-1 deg"),
        "ring with a radius in TeV": lambda scene: RingBackgroundMaker(r_in="1 TeV", width="1 deg"),
        "phases above one": lambda scene: PhaseBackgroundMaker(on_phase=(0, 0.2), off_phase=(1.5, 2.5)),
        "reflected regions on a map": lambda scene: ReflectedRegionsBackgroundMaker().run(empty("sum"), observation(1)),
        "chain of something that is no maker": lambda scene: DatasetsMaker([5]),
        "chain with minus one process": lambda scene: DatasetsMaker([MapDatasetMaker()], n_jobs=-1).run(
            empty("sum"), [observation(1)]
        ),
    }
)


def spoilt(name: str, value: float) -> Any:
    """Case that reduces an observation with a bad response, and uses the result."""

    def function(scene: Scene) -> Any:
        own = observation(1)
        irf = getattr(own, name)
        irf.data = np.full_like(irf.data, value)
        dataset = MapDatasetMaker().run(empty("sum"), own)
        dataset.mask_safe = None
        return dataset.npred()

    return function


cases(
    {
        "effective area of NaN in an observation": spoilt("aeff", np.nan),
        "effective area of minus one in an observation": spoilt("aeff", -1.0),
        "background of NaN in an observation": spoilt("bkg", np.nan),
        "background of minus one in an observation": spoilt("bkg", -1.0),
    }
)


@case("one observation out of three that cannot be reduced")
def one_fails(scene: Scene) -> Any:
    several = [observation(i) for i in (1, 2, 3)]
    several[1] = several[1].select_time(several[1].gti.time_ref + [-9, -8] * u.h)
    target = empty("sum")
    before = target.counts.data.copy()
    try:
        DatasetsMaker([MapDatasetMaker()]).run(target, several)
    except ReductionError:
        assert (target.counts.data == before).all()
        raise


@case("safe mask with an offset of NaN")
def nan_offset(scene: Scene) -> Any:
    return SafeMaskMaker(methods=["offset-max"], offset_max=np.nan * u.deg)


@case("background of a field of which all is excluded")
def all_excluded(scene: Scene) -> None:
    own = empty("sum")
    image = own.counts.geom.to_image()
    mask = Map.from_geom(image, data=np.zeros(image.data_shape, dtype=bool))
    FoVBackgroundMaker(method="scale", exclusion_mask=mask).run(own)
