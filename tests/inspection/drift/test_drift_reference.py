import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from skts.inspection import DriftReference, drift_report
from skts.persistence import load, save
from tests.inspection.drift._worlds import make_forecasts, make_world, split


@parametrize_with_checks([DriftReference()])
def test_estimator(estimator, check):
    check(estimator)


def test_a_saved_reference_gives_the_report_that_it_gave_before(tmp_path):
    train, new = split(make_world(0, 120), 21)
    reference = DriftReference().fit(train).promise(make_forecasts(0, 90))
    forecasts = make_forecasts(1, 21, start=new.index.get_level_values(1).min())
    save(reference, tmp_path / "reference.skts")
    assert (tmp_path / "reference.skts").stat().st_size < train.to_numpy().nbytes * 10
    reports = [
        drift_report(None, new, reference=each, forecasts=forecasts)
        for each in (reference, load(tmp_path / "reference.skts"))
    ]
    assert_frame_equal(*reports)


def test_it_keeps_no_more_of_a_longer_table_than_its_blocks():
    short, long = (DriftReference().fit(make_world(0, days)) for days in (70, 140))
    assert short.bands_.shape == long.bands_.shape == (2, 12, 4, 4, 5)
    assert (short.block_means_.shape[1], long.block_means_.shape[1]) == (10, 20)


def test_a_table_goes_through_as_it_is_and_its_order_of_rows_does_not_matter():
    X = make_world(0, 70)
    reference = DriftReference().fit(X)
    assert reference.transform(X) is X
    shuffled = clone(reference).fit(X.sort_index(level=1, sort_remaining=False, kind="stable"))
    np.testing.assert_array_equal(shuffled.block_means_, reference.block_means_)


@pytest.mark.parametrize(("freq", "rows"), [("D", 7), ("h", 168), ("30min", 336)])
def test_a_block_is_a_week_whatever_the_step(freq, rows):
    index = pd.date_range("2024-01-01", periods=400, freq=freq)
    assert DriftReference().fit(pd.DataFrame({"a": np.arange(400.0)}, index)).block_length_ == rows


def test_blocks_are_judged_by_bands_without_them():
    X = make_world(0, 140)
    odd = X.copy()
    third = (odd.index.get_level_values(1) >= "2023-01-15") & (odd.index.get_level_values(1) < "2023-01-22")
    odd.loc[third, "wind"] += 1000
    reference, usual = DriftReference().fit(odd), DriftReference().fit(X)
    assert (reference.block_means_[0, 2, :, 0] == 6).all()  # as far as can be
    np.testing.assert_array_equal(reference.block_means_[0, 2, :, 1], usual.block_means_[0, 2, :, 1])
