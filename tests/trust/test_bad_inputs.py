"""Every bad input is refused, reported or harmless; and the page of the documentation says so."""

from __future__ import annotations

import logging
from collections import Counter

import pytest

from tests.trust import cases
from tests.trust.cases import page

ALL = cases.load()
PAGE = [row for row in page.rows(page.PAGE.read_text(encoding="utf-8")) if row[0] != "Given"]
SAID = dict(zip(ALL, (kind for _, kind in PAGE), strict=False))


@pytest.fixture(autouse=True)
def quiet():
    """Reports are looked at by the cases themselves."""
    log = logging.getLogger("geminga")
    before, log.propagate = log.propagate, False
    yield
    log.propagate = before


def test_there_are_many():
    assert len(ALL) >= 150
    twice = [key for key, n in Counter((own.topic, own.given) for own in ALL).items() if n > 1]
    assert twice == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("topic", cases.TOPICS)
def test_nothing_is_silent_obscure_slow_or_damaging(topic, tmp_path):
    faults = []
    for number, own in enumerate(one for one in ALL if one.topic == topic):
        folder = tmp_path / str(number)
        folder.mkdir()
        outcome = cases.run(own, folder)
        if not outcome.is_good:
            faults.append(f"{own.given}: {outcome.kind} {outcome.error} {outcome.text[:200]}")
        elif outcome.kind != SAID.get(own):
            faults.append(f"{own.given}: {outcome.kind}, but {SAID.get(own)} on the page; is that right? Then write it anew.")
    assert faults == []


def test_page_lists_all_cases():
    """Run ``python -m tests.trust.cases.page`` to write it anew."""
    assert [given for given, _ in PAGE] == [page.escaped(own.given) for own in ALL]
