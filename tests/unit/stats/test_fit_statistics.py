from __future__ import annotations

import numpy as np
import pytest

from geminga.errors import InputError
from geminga.stats import cash, cstat, get_wstat_gof_terms, get_wstat_mu_bkg, wstat

ON, OFF, SIGNAL = [5, 0, 3, 0, 1], [10, 4, 0, 0, 7], [3, 1, 1, 2, 0]


def test_published_values():
    assert cash(1, 0) == pytest.approx(115.12925464970229, rel=1e-6)
    np.testing.assert_allclose(cstat([0, 1, 5], [1, 2, 4]), [2.0, 0.6137056388801094, 0.2314355131420971], rtol=1e-6)
    expected = [0.0, 3.4585724543516356, 2.5916737320086587, 4.0, 0.1076981534684851]
    np.testing.assert_allclose(wstat(ON, OFF, 0.2, SIGNAL), expected, rtol=1e-6, atol=1e-12)
    expected = [10.0, 3.3333333333333335, 0.0, 0.0, 6.666666666666667]
    np.testing.assert_allclose(get_wstat_mu_bkg(ON, OFF, 0.2, SIGNAL), expected, rtol=1e-6)
    np.testing.assert_allclose(get_wstat_gof_terms([5, 0, 3], [10, 4, 0]), [32.14608098, 3.09035489, 0.59167373])


def test_scalars_give_scalars():
    for value in (cash(5, 3), cstat(5, 3), wstat(5, 10, 0.2, 3), get_wstat_mu_bkg(5, 10, 0.2, 3), get_wstat_gof_terms(5, 10)):
        assert np.ndim(value) == 0
        assert isinstance(value, float)


def test_extra_terms_are_those_of_the_counts():
    without = wstat(ON, OFF, 0.2, SIGNAL, extra_terms=False)
    np.testing.assert_allclose(without + get_wstat_gof_terms(ON, OFF), wstat(ON, OFF, 0.2, SIGNAL), atol=1e-12)


def test_given_background_is_not_profiled():
    assert wstat(5, 10, 0.2, 3, mu_bkg=4) == pytest.approx(6.670183094500715)
    assert wstat(5, 10, 0.2, 3, mu_bkg=get_wstat_mu_bkg(5, 10, 0.2, 3)) == pytest.approx(0, abs=1e-12)


def test_inputs_broadcast():
    assert wstat([[1], [2]], [1, 2, 3], 0.5, 0).shape == (2, 3)


def test_truncation():
    assert cash(1, 0, truncation_value=1.0) == 2.0
    with pytest.raises(InputError, match="truncation_value is 0; expected a positive number"):
        cash(1, 0, truncation_value=0)


@pytest.mark.parametrize("function", [lambda: cash([1, 2], [1, 2, 3]), lambda: wstat([1, 2], [1, 2, 3], 1, 0)])
def test_shapes_which_do_not_fit(function):
    with pytest.raises(InputError, match="Shapes do not fit together: n_on"):
        function()
