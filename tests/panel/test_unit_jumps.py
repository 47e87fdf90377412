"""A unit that changes is found where it changes; what weather does by itself is not."""

import numpy as np
import pandas as pd
import pytest

from skts import describe_panel
from skts.datasets import load_la_haute_borne, make_panel
from skts.panel import find_knowing


@pytest.fixture(scope="module")
def turbines():
    X, _ = load_la_haute_borne(return_X_y=True)
    return X[X.index.get_level_values("time") < "2014-07-01"]


def test_half_a_year_of_turbines_has_no_jump(turbines):
    assert describe_panel(turbines).jumps.empty


@pytest.mark.parametrize(
    ("column", "change", "what"),
    [
        ("power_kw", lambda values: values / 1000, "divided by 1,000"),
        ("power_kw", lambda values: values * 1000, "times 1,000"),
        ("era5_sp", lambda values: values / 100, "divided by 100"),
        ("era5_t2m", lambda values: values - 273.15, "from kelvin to degrees Celsius"),
    ],
)
def test_a_unit_that_changes_is_dated(turbines, column, change, what):
    since = pd.Timestamp("2014-06-10", tz="UTC")
    is_new = turbines.index.get_level_values("time") >= since
    values = turbines[column].where(~is_new, change(turbines[column]))
    report = describe_panel(turbines.assign(**{column: values}))
    assert report.jumps["column"].unique().tolist() == [column]
    assert set(report.jumps["what"]) == {what}
    assert len(report.jumps) == 4
    assert (abs(report.jumps["time"] - since) <= pd.Timedelta(days=4)).all()  # a calm day looks like either unit
    assert f"{column} jumps {what} about 2014-06" in report.facts["units"]


def test_columns_that_hold_the_target_are_told_from_its_own_past():
    X, y = make_panel(n_series=2, n_rows=300, missing=0.05, random_state=0)
    capacity = np.where(X.index.get_level_values("station") == "station_0", 10.0, 3.0)
    by_series = y.groupby("station")
    X = X.assign(share=y / capacity, later=by_series.shift(-5), before=by_series.shift(1), noise=1.0)
    found = find_knowing(X, y)
    assert found == {"share": "is power of the same row", "later": "is power of 5 rows later"}
    assert find_knowing(X, y, known=["wind"]) == {"later": "is power of 5 rows later"}
    assert describe_panel(X, target="power").knowing == found


def test_an_unknown_target_is_refused():
    X, _ = make_panel(n_series=1, n_rows=30, random_state=0)
    with pytest.raises(ValueError, match=r"'powr'.*power"):
        describe_panel(X, target="powr")
