"""What all transformers of the room promise."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts.weather import ClearSkyIndex, EnsembleFeatures, GridFeatures
from tests.weather._tables import make_index

COLUMNS = ["power", "ssrd", "clearsky_ghi", *(f"u_{i}_{j}" for i in range(3) for j in range(3)), "t_m0", "t_m1", "t_m2"]
INDEX = make_index()
X = pd.DataFrame(np.random.default_rng(0).uniform(1, 900, (len(INDEX), len(COLUMNS))), index=INDEX, columns=COLUMNS)
each = pytest.mark.parametrize(
    "transformer",
    [ClearSkyIndex("ssrd"), EnsembleFeatures(quantiles=[0.1]), GridFeatures(), GridFeatures(keep=True)],
    ids=lambda one: repr(one).partition("(")[0],
)


@each
def test_rows_and_index_stay_and_names_fit(transformer):
    before = X.copy()
    fitted = clone(transformer).fit(X)
    out = fitted.transform(X)
    pd.testing.assert_frame_equal(X, before)
    pd.testing.assert_index_equal(out.index, X.index)
    assert list(out.columns) == list(fitted.get_feature_names_out()) == list(fitted.get_feature_names_out(COLUMNS))
    assert np.isfinite(out).all(axis=None)
    same = [name for name in out if name in X]
    pd.testing.assert_frame_equal(out[same], X[same])
    with pytest.raises(NotFittedError):
        clone(transformer).transform(X)
    with pytest.raises(NotFittedError):
        clone(transformer).get_feature_names_out()


@each
def test_rows_are_taken_one_by_one(transformer):
    fitted = clone(transformer).fit(X)
    expected = fitted.transform(X)
    order = np.random.default_rng(1).permutation(len(X))
    pd.testing.assert_frame_equal(fitted.transform(X.iloc[order]), expected.iloc[order])
    pd.testing.assert_frame_equal(fitted.transform(X.iloc[:1]), expected.iloc[:1])


@each
def test_clone_pickle_and_set_output_change_nothing(transformer):
    fitted = clone(transformer).fit(X)
    expected = fitted.transform(X)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(fitted)).transform(X), expected)
    pd.testing.assert_frame_equal(clone(fitted).set_output(transform="pandas").fit_transform(X), expected)
    pipe = make_pipeline(clone(transformer), StandardScaler()).set_output(transform="pandas")
    assert list(pipe.fit_transform(X).columns) == list(expected.columns)
    both = make_column_transformer((clone(transformer), COLUMNS), verbose_feature_names_out=False)
    pd.testing.assert_frame_equal(both.set_output(transform="pandas").fit_transform(X), expected)


@each
def test_what_was_learned_is_not_changed_by_parameters_set_later(transformer):
    fitted = clone(transformer).fit(X)
    expected = fitted.transform(X)
    if hasattr(fitted, "features"):
        fitted.set_params(features=["mean"])
    else:
        fitted.set_params(limit=0.1)
    pd.testing.assert_frame_equal(fitted.transform(X), expected)


@each
def test_missing_values_pass_through(transformer):
    holes = X.mask(np.random.default_rng(2).random(X.shape) < 0.2)
    assert len(clone(transformer).fit(X).transform(holes)) == len(X)
