"""The module that is exported, in torch itself, beside `predict`."""

import numpy as np
import pytest
import torch

from skts.export._agreement import TOLERANCE, compare, with_holes
from skts.export._graph import blank_groups, fill_forward
from skts.export._trace import trace
from tests.export._pipelines import HORIZON, PIPELINES, WINDOW, X_NEW, Y_NEW, fitted

LEVELS = {"normal": (0.05, 0.5), "censored": (0.2, 0.9)}


@pytest.mark.parametrize("name", PIPELINES)
def test_it_forecasts_what_predict_does(name):
    """Of rows that were measured, and again with a tenth of them missing."""
    pipe = fitted(name)
    traced = trace(pipe, X_NEW, LEVELS.get(name))
    found = compare(pipe, traced.parts, X_NEW, traced.levels, lambda table: traced.answer(traced.graph, table))
    assert found < TOLERANCE


@pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")
@pytest.mark.parametrize("name", ["lstm", "quantiles"])
def test_series_that_training_has_not_seen_are_forecast_too(name):
    new = X_NEW.rename(index=lambda series: f"new_{series}", level=0)
    traced = trace(fitted(name), new, None)
    with pytest.warns(UserWarning, match="not in the training table"):
        expected = fitted(name).predict(new)
    with pytest.warns(UserWarning, match="not in the training table"):
        found = traced.answer(traced.graph, new)[0]
    assert np.abs(found - expected).max() < TOLERANCE * Y_NEW.std()


def test_what_is_read_is_in_the_units_of_the_table():
    traced = trace(fitted("quantiles"), X_NEW, None)
    last = X_NEW.iloc[:1].index.get_level_values(0)[0]
    own = X_NEW.xs(last, level=0)
    feeds = traced.feeds
    assert feeds["past"].shape == (3, WINDOW, 3)
    np.testing.assert_allclose(feeds["known"][0, :, 0], own["wind"].to_numpy()[:HORIZON], rtol=1e-5)
    np.testing.assert_allclose(feeds["static"][0], own["capacity"].to_numpy()[:1])


def test_by_default_it_is_compared_on_the_remembered_rows():
    traced = trace(fitted("lstm"), None, None)
    tail = fitted("lstm")[:-1][1].tail_  # scaled
    np.testing.assert_allclose(fitted("lstm")[0].transform(traced.rows)[:5], tail.iloc[:5], rtol=1e-9)
    assert len(traced.rows) == 3 * (2 * HORIZON + 1)
    assert traced.rows.index.get_level_values("time").min() > tail.index.get_level_values("time").max()


def test_holes_are_filled_with_the_last_value_seen():
    nan = np.nan
    values = torch.tensor([[[nan], [1.0], [nan], [nan], [nan], [nan], [2.0], [nan]]])
    assert fill_forward(values)[0, :, 0].tolist() == [0, 1, 1, 1, 1, 1, 2, 2]


def test_a_group_that_is_missing_as_a_whole_stays_missing():
    rows = torch.tensor([[[np.nan, np.nan, 3.0], [np.nan, 5.0, np.nan]]])
    blanked = blank_groups(torch.ones_like(rows), rows, torch.tensor([[1.0, 1.0, 0.0]]))
    assert blanked.isnan().tolist() == [[[True, True, False], [False, False, False]]]


def test_a_tenth_of_a_table_is_missing_in_its_copy():
    holes = with_holes(X_NEW)
    assert 0.05 < holes.isna().to_numpy().mean() < 0.15
    assert not X_NEW.isna().to_numpy().any()
    assert holes.index.equals(X_NEW.index)
