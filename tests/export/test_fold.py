"""Scalers, as what they come down to."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

from skts.exceptions import ExportError
from skts.export._fold import fold

X = pd.DataFrame(np.random.RandomState(0).randn(50, 4) * [1, 10, 1000, 0] + [0, 5, 101325, 3], columns=list("abcd"))
STEPS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    MinMaxScaler((-1, 3)),
    MaxAbsScaler(),
    RobustScaler(),
    RobustScaler(with_centering=False),
    RobustScaler(with_scaling=False),
    FunctionTransformer(),
    make_pipeline(StandardScaler(), "passthrough", MinMaxScaler()),
    ColumnTransformer([("one", StandardScaler(), ["c", "a"]), ("no", "drop", ["b"])], remainder="passthrough"),
    ColumnTransformer([("none", MinMaxScaler(), []), ("all", make_pipeline(MinMaxScaler()), ["d", "c"])]),
]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_step_is_what_it_is_folded_to(step):
    step = step.fit(X)
    folded = fold(step, X.shape[1], "step")
    expected = np.asarray(step.transform(X), dtype=np.float64)
    np.testing.assert_allclose(folded(X.to_numpy()), expected, rtol=1e-12, atol=1e-12)
    back = folded.undo(expected)[:, np.unique(folded.sources)]
    np.testing.assert_allclose(back, X.to_numpy()[:, np.unique(folded.sources)], rtol=1e-12, atol=1e-9)


@given(st.lists(st.sampled_from(STEPS[:9]), min_size=1, max_size=4))
def test_steps_after_each_other_are_one(steps):
    pipe = make_pipeline(*steps).fit(X.to_numpy())
    folded = fold(pipe, X.shape[1], "pipe")
    np.testing.assert_allclose(folded(X.to_numpy()), pipe.transform(X.to_numpy()), rtol=1e-9, atol=1e-9)
    assert fold(FrozenEstimator(pipe), X.shape[1], "pipe")(X.to_numpy()).tolist() == folded(X.to_numpy()).tolist()


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (PowerTransformer(), "Step 'power' is a PowerTransformer.*pipe\\[1:\\]"),
        (FunctionTransformer(np.tanh), "Step 'power' is a FunctionTransformer"),
        (MinMaxScaler(clip=True), "clip=True"),
        (ColumnTransformer([("own", PowerTransformer(), ["a"])]), "Step 'power.own' is a PowerTransformer"),
    ],
)
def test_others_are_refused_by_their_name(step, said):
    with pytest.raises(ExportError, match=said):
        fold(step.fit(X), X.shape[1], "power")
