import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skts.weather import EnsembleFeatures

NUMBERS = st.floats(-1e3, 1e3, width=32) | st.just(float("nan"))


@given(arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=NUMBERS), st.lists(st.floats(0, 1)))
def test_it_is_what_numpy_says_of_the_members_that_are_there(members, levels):
    X = pd.DataFrame(members, columns=[f"ecmwf_u100_m{i:02d}" for i in range(members.shape[1])])
    transformer = EnsembleFeatures(["mean", "spread", "min", "max"], quantiles=levels[:1])
    out = transformer.fit_transform(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy's, of rows without members
        expected = [f(members, axis=1) for f in (np.nanmean, np.nanstd, np.nanmin, np.nanmax)]
        expected += [np.nanquantile(members, level, axis=1) for level in levels[:1]]
    np.testing.assert_allclose(out, np.stack(expected, axis=1), rtol=1e-6, atol=1e-6)
    assert transformer.n_members_ == {"ecmwf_u100": members.shape[1]}


def test_names_say_what_they_are_and_the_rest_stays():
    X = pd.DataFrame(np.ones((2, 5)), columns=["gfs_t_m1", "hour", "ecmwf_t_m01", "ecmwf_t_m00", "gfs_t_m0"])
    out = EnsembleFeatures(quantiles=[0.025, 0.5]).fit(X)
    made = [f"{p}_t_{what}" for p in ("gfs", "ecmwf") for what in ("mean", "spread", "q2.5", "q50")]
    assert list(out.get_feature_names_out()) == ["hour", *made] == list(out.transform(X))
    assert list(EnsembleFeatures(keep=True).fit_transform(X))[:5] == list(X)


@pytest.mark.parametrize(
    ("names", "params", "message"),
    [
        (["u", "v"], {}, "no column matches pattern"),
        (["u_m0", "u_m00"], {}, "'u_m0' and 'u_m00' are the same"),
        (["u_m0", "u_mean"], {}, "more than one column 'u_mean'"),
        (["u_m0", "u_m1"], {"features": ["median"]}, "no feature 'median'"),
        (["u_m0", "u_m1"], {"quantiles": [10]}, "levels from 0 to 1"),
        (["u_m0", "u_m1"], {"quantiles": [0.1, 0.1]}, "more than one column 'u_q10'"),
    ],
)
def test_what_is_wrong_is_named(names, params, message):
    with pytest.raises(ValueError, match=message):
        EnsembleFeatures(**params).fit(pd.DataFrame(np.ones((3, 2)), columns=names))
