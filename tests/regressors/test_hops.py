"""The way of one call leads through few files, so that a reader can follow it."""

import sys
from pathlib import Path

import pytest
from sklearn.base import clone

import skts
from skts import DLinearRegressor, LSTMRegressor, SlidingWindower
from skts.datasets import make_panel

ROOT = Path(skts.__file__).parent
MOST_OF_FIT, MOST_OF_PREDICT = 15, 11
# what a fit tells of itself, line by line and in a notebook, or a forecast of holes, and no step of the way to a result
TELLING = {
    *("training/_epoch_lines.py", "supervised/_trained_on.py", "windows/_overlap.py", "windows/_origins.py"),
    "windows/_blanks.py",
}


def files_of(call):
    """List the files of the package that a call runs through."""
    files = set()

    def note(frame, event, argument):
        if event == "call" and frame.f_code.co_filename.startswith(str(ROOT)):
            files.add(str(Path(frame.f_code.co_filename).relative_to(ROOT)))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(before)
    return files


@pytest.mark.parametrize(
    ("regressor", "more"),
    [
        (DLinearRegressor(max_epochs=1, device="cpu"), 0),
        (LSTMRegressor(4, max_epochs=1, device="cpu"), 0),
        (LSTMRegressor(4, max_epochs=1, device="cpu", quantiles=(0.1, 0.9)), 1),  # others read levels without torch
    ],
)
def test_a_fit_and_a_forecast_run_through_few_files(regressor, more):
    X, y = make_panel(n_series=2, n_rows=60, random_state=0)
    windows, regressor = SlidingWindower(12, 4, known=["wind"]).fit_transform(X), clone(regressor)
    fit, predict = files_of(lambda: regressor.fit(windows, y)), files_of(lambda: regressor.predict(windows))
    assert len(fit - TELLING) <= MOST_OF_FIT + more, sorted(fit - TELLING)
    assert len(predict - TELLING) <= MOST_OF_PREDICT, sorted(predict - TELLING)
