"""Steps before a network as plain values, and back."""

import numpy as np
import pytest

from skts import HistoryPrepender, SlidingWindower
from skts.datasets import make_panel
from skts.windows import plain_of, prepender_from, windower_from

X, Y = make_panel(n_series=2, n_rows=60, random_state=0)
X["capacity"] = 1.0 + X.index.codes[0]
IS_NEW = X.index.get_level_values("time") >= X.index.get_level_values("time")[40]


@pytest.mark.parametrize("remember", ["tail", "all"])
@pytest.mark.parametrize("kind", ["panel", "array", "rows"])
def test_steps_made_of_plain_values_transform_as_those_that_learned(kind, remember):
    train, new = X[~IS_NEW], X[IS_NEW]
    if kind != "panel" and remember == "all":
        pytest.skip("looks rows up by their times")
    if kind == "array":
        train, new = train.to_numpy(), new.to_numpy()
    if kind == "rows":
        train, new = train.reset_index(drop=True), new.reset_index(drop=True)
    if kind != "panel":
        train, new = (
            train[:, :2] if kind == "array" else train.iloc[:, :2],
            new[:, :2] if kind == "array" else new.iloc[:, :2],
        )
    prepender = HistoryPrepender(12, remember=remember).fit(train)
    windower = SlidingWindower(12, 4, known=[1], static=[2] if kind == "panel" else None).fit(train)
    again = prepender_from(plain_of(prepender)), windower_from(plain_of(windower))
    table = prepender.transform(new)
    np.testing.assert_array_equal(np.asarray(again[0].transform(new)), np.asarray(table))
    one, other = windower.transform(table), again[1].transform(table)
    np.testing.assert_array_equal(one[:], other[:])
    np.testing.assert_array_equal(one.ahead, other.ahead)
    if kind == "panel":
        np.testing.assert_array_equal(one.static, other.static)
    if kind != "panel":  # recognised as the training table itself, which has no past
        assert np.isnan(np.asarray(again[0].transform(train))[:12]).all()
