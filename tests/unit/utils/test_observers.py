from __future__ import annotations

import pytest
from astropy.io import fits

from geminga.errors import FormatError, NameLookupError
from geminga.utils.observers import earth_location, earth_location_from_dict, observatory_locations


def test_names_of_gammapy():
    names = [
        "ctao_south",
        "cta_south",
        "ctao_north",
        "cta_north",
        "hawc",
        "hegra",
        "hess",
        "magic",
        "milagro",
        "veritas",
        "whipple",
        "astri",
        "fact",
    ]
    assert set(names) == set(observatory_locations)
    assert observatory_locations["hess"].lat.deg == pytest.approx(-23.271777777)
    # Longitude and latitude of gammapy 2.1 are exchanged: HEGRA stood on La Palma, beside MAGIC.
    assert observatory_locations["hegra"].lon.deg == pytest.approx(observatory_locations["magic"].lon.deg, abs=0.01)


def test_by_name():
    assert earth_location("magic") is observatory_locations["magic"]
    with pytest.raises(NameLookupError, match="'foo' is not known"):
        earth_location("foo")


class TestHeader:
    def test_spellings(self):
        for meta in (
            {"GEOLON": 16.5, "GEOLAT": -23.25, "ALTITUDE": 1835.0},
            {"GEOLON": "16.5", "GEOLAT": "-23.25", "GEOALT": "1835."},
            {"GEOLON": "16d30m00s", "GEOLAT": "-23d15m", "ALTITUDE": "1.835 km"},
        ):
            location = earth_location_from_dict(meta)
            assert (location.lon.deg, location.lat.deg) == pytest.approx((16.5, -23.25))
            assert location.height.to_value("m") == pytest.approx(1835)

    def test_kilometres(self):
        header = fits.Header({"GEOLON": 79.4, "GEOLAT": -24.6})
        header["ALTITUDE"] = 2.15, "[km] Altitude of array centre"
        assert earth_location_from_dict(header).height.to_value("m") == pytest.approx(2150)

    def test_refusals(self):
        with pytest.raises(FormatError, match="there are \\['GEOLON'\\]"):
            earth_location_from_dict({"GEOLON": 1})
        with pytest.raises(FormatError, match="cannot be read"):
            earth_location_from_dict({"GEOLON": "x", "GEOLAT": 1, "ALTITUDE": 1})
