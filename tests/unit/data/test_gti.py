from __future__ import annotations

import logging

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from geminga.data import GTI, GTIMetaData
from geminga.errors import DataError, FileExistsRefusal, FormatError, InputError, NameLookupError
from tests.helpers import data_path, requires_data

T0 = Time("2010-01-01")


def gti(*pairs: tuple[float, float], reference: Time = T0) -> GTI:
    start, stop = np.array(pairs, dtype=float).reshape(-1, 2).T
    return GTI.create(start * u.s, stop * u.s, reference_time=reference)


def pairs_of(one: GTI) -> list[tuple[float, float]]:
    return list(zip(one.met_start.value.round(6).tolist(), one.met_stop.value.round(6).tolist(), strict=True))


def between(low: float, high: float) -> list[Time]:
    return [T0 + low * u.s, T0 + high * u.s]


# Intervals of whole seconds, so that their measure is exact.
interval = st.tuples(st.integers(0, 200), st.integers(0, 60)).map(lambda p: (p[0], p[0] + p[1]))
intervals = st.lists(interval, max_size=8)


def seconds_in(pairs: list[tuple[float, float]]) -> set[int]:
    return {second for low, high in pairs for second in range(int(low), int(high))}


class TestLaws:
    @given(intervals)
    def test_union_covers_the_same_time_once(self, pairs):
        union = gti(*pairs).union()
        assert seconds_in(pairs_of(union)) == seconds_in(pairs)
        assert union.time_sum.value == pytest.approx(len(seconds_in(pairs)))
        assert (union.met_start.value[1:] > union.met_stop.value[:-1]).all()

    @given(intervals)
    def test_union_of_a_union(self, pairs):
        union = gti(*pairs).union()
        assert union.union() == union

    @given(intervals, interval)
    def test_select_and_delete_part_the_time(self, pairs, cut):
        one = gti(*pairs)
        inside, outside = one.select_time(between(*cut)), one.delete_interval(between(*cut))
        assert (inside.time_sum + outside.time_sum).value == pytest.approx(one.time_sum.value, abs=1e-6)
        assert seconds_in(pairs_of(inside)) == seconds_in(pairs) & seconds_in([cut])
        assert seconds_in(pairs_of(outside)) == seconds_in(pairs) - seconds_in([cut])
        for part in (inside, outside, one.select_time(between(*cut), inverted=True)):
            assert part.time_ref == one.time_ref
            assert (part.time_delta > 0).all()

    @given(intervals, intervals)
    def test_stack_adds_the_time(self, first, second):
        one = gti(*first)
        two = gti(*second, reference=T0)
        stacked = GTI.from_stack([one, two])
        assert stacked.time_sum.value == pytest.approx((one.time_sum + two.time_sum).value)
        one.stack(two)
        assert one == stacked

    @given(intervals.filter(len))
    def test_write_then_read(self, pairs):
        one = gti(*pairs)
        again = GTI.from_table_hdu(one.to_table_hdu())
        assert again == one
        assert again.time_ref == one.time_ref
        assert again.time_start.scale == "utc"


class TestMaking:
    def test_durations_and_times_are_the_same(self):
        assert GTI.create(T0 + 5 * u.s, T0 + 7 * u.s, T0) == gti((5, 7))
        assert GTI.create("5 s", "7 s", T0) == gti((5, 7))
        assert GTI.from_time_intervals([[T0 + 5 * u.s, T0 + 7 * u.s]], T0) == gti((5, 7))

    def test_default_reference(self):
        one = GTI.create("1 h", "2 h")
        assert (one.time_ref.isot, one.time_ref.scale) == ("2000-01-01T00:00:00.000", "tt")
        assert_allclose(one.met_start.value, [3600])

    def test_times_keep_their_scale(self):
        one = GTI.create(T0, T0 + 1 * u.h)
        assert one.time_ref.scale == "tt"
        assert one.time_start.scale == "utc"
        assert one.time_start.iso.tolist() == ["2010-01-01 00:00:00.000"]
        assert one.select_time(between(0, 60)).time_stop.iso.tolist() == ["2010-01-01 00:01:00.000"]

    def test_reference_as_text(self):
        assert GTI.create(5 * u.s, 7 * u.s, reference_time="2009-01-01").time_ref.iso == "2009-01-01 00:00:00.000"

    def test_table(self):
        table = gti((0, 50), (100, 200)).table
        assert isinstance(table["START"], Time)
        assert GTI(table, T0) == gti((0, 50), (100, 200))
        assert GTI(Table({"START": [1.0], "STOP": [2.0]}, meta={"MJDREFI": 55197, "MJDREFF": 0.0, "TIMESYS": "UTC"})) == gti(
            (1, 2)
        )

    def test_empty(self):
        for empty in (gti(), GTI.from_time_intervals([]), gti((0, 5)).select_time(between(10, 20))):
            assert len(empty) == 0
            assert empty.time_sum == 0 * u.s
            assert len(empty.union()) == 0
            assert "Number of GTIs: 0" in str(empty)

    def test_copy_is_independent(self):
        one = gti((0, 5))
        two = one.copy()
        two.stack(gti((7, 8)))
        assert (len(one), len(two)) == (1, 2)

    def test_stack_of_other_references(self):
        stacked = GTI.from_stack([gti((0, 5)), gti((0, 5), reference=T0 + 100 * u.s)])
        assert pairs_of(stacked) == [(0, 5), (100, 105)]
        assert stacked.time_ref == T0

    @pytest.mark.parametrize("reference", ["2000-01-01", "1975-07-01"])
    def test_precision_of_many_years(self, reference):
        one = GTI.create(T0 + 0.123456789 * u.s, T0 + 1 * u.s, reference)
        assert abs((one.time_start[0] - T0).sec - 0.123456789) < 1e-6


class TestSelection:
    def test_no_interval_of_length_zero(self):
        assert pairs_of(gti((0, 50), (100, 200)).select_time(between(20, 100))) == [(20, 50)]
        assert pairs_of(gti((0, 50), (100, 200)).delete_interval(between(50, 100))) == [(0, 50), (100, 200)]

    def test_union_merges_what_touches(self):
        one = gti((10, 20), (0, 10), (20, 25))
        assert pairs_of(one.union()) == [(0, 25)]
        assert pairs_of(one.union(merge_equal=False)) == [(0, 10), (10, 20), (20, 25)]
        assert pairs_of(one.union(overlap_ok=False)) == [(0, 25)]

    def test_union_of_one_inside_another(self):
        assert pairs_of(gti((0, 100), (10, 20), (50, 110)).union()) == [(0, 110)]

    def test_group_table(self):
        table = gti((0, 50), (100, 200), (300, 400), (500, 600)).group_table([between(90, 450)])
        assert table.colnames == ["group_idx", "time_min", "time_max", "bin_type"]
        assert table["group_idx"].tolist() == [-1, 0, 0, -1]
        assert table["bin_type"].tolist() == ["underflow", "", "", "overflow"]
        assert_allclose(table["time_min"][1], 55197 + 100 / 86400)

    def test_group_table_tolerance(self):
        one = gti((0, 50))
        assert one.group_table([between(1e-7, 50)])["group_idx"][0] == 0
        assert one.group_table([between(0.5, 50)])["group_idx"][0] == -1
        assert one.group_table([between(0.5, 50)], atol="1 s")["group_idx"][0] == 0


class TestRefusals:
    def test_reversed(self):
        with pytest.raises(DataError, match=r"row 1 stops at 1.0 s before it starts at 5.0 s"):
            gti((0, 1), (5, 1))

    def test_nan(self):
        with pytest.raises(DataError, match="row 0 has a START or STOP which is not finite"):
            gti((np.nan, 1))

    def test_overlap(self):
        with pytest.raises(DataError, match=r"starting at 5.0 s begins before 10.0 s"):
            gti((0, 10), (5, 20)).union(overlap_ok=False)

    def test_overlap_in_a_file_is_reported(self, caplog):
        with caplog.at_level(logging.WARNING):
            GTI.from_table_hdu(gti((0, 10), (5, 20)).to_table_hdu())
        assert "1 good time intervals overlap" in caplog.text

    @pytest.mark.parametrize("bad", [between(5, 1), 5, [T0]])
    def test_interval(self, bad):
        with pytest.raises(InputError, match="time interval"):
            gti((0, 10)).select_time(bad)

    def test_lengths(self):
        with pytest.raises(InputError, match="2 starts but 1 stops"):
            GTI.create([0, 5] * u.s, [6] * u.s)

    def test_nothing_to_stack(self):
        with pytest.raises(InputError, match="from_stack got no GTI"):
            GTI.from_stack([])

    def test_groups(self):
        with pytest.raises(InputError, match="no time intervals"):
            gti((0, 1)).group_table([])
        with pytest.raises(InputError, match="time intervals overlap"):
            gti((0, 1)).group_table([between(0, 10), between(5, 20)])

    def test_columns(self):
        with pytest.raises(FormatError, match="STOP missing"):
            GTI(Table({"START": [1.0]}))
        with pytest.raises(FormatError, match="not a GTI table"):
            GTI.from_table_hdu(fits.BinTableHDU(Table({"START": [1.0]}), name="GTI"))

    def test_format(self):
        with pytest.raises(FormatError, match="'other' is not known"):
            gti((0, 1)).to_table_hdu(format="other")


class TestFiles:
    def test_file(self, tmp_path):
        one = gti((0, 50), (100, 200))
        one.write(tmp_path / "gti.fits")
        assert GTI.read(tmp_path / "gti.fits", checksum=True) == one
        with pytest.raises(FileExistsRefusal, match="overwrite=True"):
            one.write(tmp_path / "gti.fits")
        one.write(tmp_path / "gti.fits", overwrite=True)
        with pytest.raises(NameLookupError, match="no HDU 'XX'; it has PRIMARY, GTI"):
            GTI.read(tmp_path / "gti.fits", hdu="XX")
        assert GTI.read(tmp_path / "gti.fits", hdu=1) == one

    def test_unit_of_the_header(self):
        hdu = gti((0, 3600)).to_table_hdu()
        hdu.header["TIMEUNIT"] = "h"
        for column in (1, 2):
            del hdu.header[f"TUNIT{column}"]
        hdu = fits.BinTableHDU(np.array(hdu.data), header=hdu.header)
        assert GTI.from_table_hdu(hdu).met_stop.to_value("h").tolist() == [3600]

    def test_header(self):
        header = gti((0, 50)).to_table_hdu().header
        assert (header["MJDREFI"], header["MJDREFF"], header["TIMESYS"]) == (55197, 0.0, "utc")
        meta = GTIMetaData.from_header(header)
        assert meta.reference_time == T0
        assert meta.creation.creator.startswith("Geminga")
        assert GTIMetaData(T0).to_header() == {"MJDREFI": 55197, "MJDREFF": 0.0, "TIMESYS": "utc"}
        assert GTIMetaData().to_header() == {}
        assert "reference_time: '2010-01-01" in meta.to_yaml()
        with pytest.raises(FormatError, match="'x' is not known"):
            GTIMetaData.from_header(header, format="x")

    def test_summary(self):
        assert str(gti((0, 50), (100, 200), (300, 400))) == (
            "GTI info:\n- Number of GTIs: 3\n- Duration: 250.0 s\n"
            "- Start: 0.0 s MET\n- Start: 2010-01-01T00:00:00.000 (time standard: UTC)\n"
            "- Stop: 400.0 s MET\n- Stop: 2010-01-01T00:06:40.000 (time standard: UTC)\n"
        )

    @requires_data("hess-dl3-dr1/data/hess_dl3_dr1_obs_id_020137.fits.gz")
    def test_hess(self):
        one = GTI.read(data_path("hess-dl3-dr1/data/hess_dl3_dr1_obs_id_020137.fits.gz"))
        assert one.time_sum.value == pytest.approx(902.0)
        assert one.time_start.isot.tolist() == ["2004-03-26T03:28:25.184"]
        assert one.met_start.value == pytest.approx(101964441.0)

    @requires_data("cta-1dc-gc/cta-1dc-gc.fits.gz")
    def test_stacked_dataset(self):
        one = GTI.read(data_path("cta-1dc-gc/cta-1dc-gc.fits.gz"))
        assert len(one) == 3
        assert one.time_sum.value == pytest.approx(5400)
        assert one.time_start[0].isot == "2021-01-21T11:58:50.816"
