import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skts.exceptions import PanelIndexError
from skts.weather import deaccumulate
from tests.weather._tables import make_index

INDEX = make_index(n_runs=4, n_steps=30)


def add_up(fell, index, start_of):
    """Add up what fell, row by row, from the start that each row has."""
    total, out = {}, []
    for key, amount in zip(index, fell, strict=True):
        place = (*key[:-1], start_of(key))
        total[place] = total.get(place, 0.0) + amount
        out.append(total[place])
    return out


def start_of_day(key):
    return (key[-1] - pd.Timedelta("1ns")).floor("D")


def start_of_six_hours(key):
    return (key[-1] - key[-2] - pd.Timedelta("1ns")) // pd.Timedelta("6h")


STARTS = {"run": lambda key: 0, "day": start_of_day, "6h": start_of_six_hours}


@given(since=st.sampled_from(list(STARTS)), seed=st.integers(0, 99), rate=st.booleans())
def test_it_undoes_adding_up(since, seed, rate):
    rng = np.random.default_rng(seed)
    fell = rng.gamma(0.3, 1e5, len(INDEX)) * (rng.random(len(INDEX)) < 0.5)
    table = pd.DataFrame({"tp": add_up(fell, INDEX, STARTS[since]), "u": 1.0}, index=INDEX)
    order = rng.permutation(len(INDEX))
    out = deaccumulate(table.iloc[order], "tp", since=since, rate=rate)
    pd.testing.assert_index_equal(out.index, INDEX[order])
    np.testing.assert_allclose(out["tp"], fell[order] / (3600 if rate else 1), rtol=1e-7, atol=1e-4)
    assert (out["u"] == 1).all()


def test_signed_fluxes_add_up_downwards_too():
    fell = np.random.default_rng(0).normal(size=len(INDEX))
    table = pd.DataFrame({"str": add_up(fell, INDEX, STARTS["run"])}, index=INDEX)
    np.testing.assert_allclose(deaccumulate(table, ["str"])["str"], fell, atol=1e-9)


def test_the_day_of_a_table_without_runs_ends_at_midnight():
    times = pd.date_range("2024-01-01 01:00", periods=49, freq="h", name="time")
    table = pd.DataFrame({"ssrd": [h % 24 + 1.0 for h in range(49)]}, index=times)
    assert (deaccumulate(table, "ssrd", since="day")["ssrd"] == 1).all()
    panel = pd.concat({"a": table, "b": 2 * table})
    assert deaccumulate(panel, "ssrd", since="day")["ssrd"].groupby(level=0).unique().tolist() == [[1], [2]]
    local = table.tz_localize("UTC").tz_convert("Asia/Tokyo")
    assert (deaccumulate(local, "ssrd", since="day")["ssrd"] == 1).all()


def one_run(values, hours):
    run = pd.Timestamp("2024-01-01")
    index = pd.MultiIndex.from_arrays(
        [[run] * len(hours), run + pd.to_timedelta(hours, unit="h")], names=["run", "time"]
    )
    return pd.DataFrame({"tp": values}, index=index)


def test_a_mean_is_over_the_time_between_rows():
    out = deaccumulate(one_run([0.0, 3600.0, 3 * 3600.0, 9 * 3600.0], [0, 1, 2, 5]), "tp", rate=True)
    np.testing.assert_allclose(out["tp"], [np.nan, 1, 2, 2])
    late = deaccumulate(one_run([3 * 3600.0], [3]), "tp", rate=True)
    assert late["tp"].tolist() == [1.0]


def test_rounding_becomes_nothing_and_a_new_beginning_counts_from_0():
    out = deaccumulate(one_run([5.0, 4.99, 7.0, 1.0, 1.5], range(1, 6)), "tp")
    np.testing.assert_allclose(out["tp"], [5, 0, 2.01, 1, 0.5])


def test_what_is_missing_takes_the_difference_after_it():
    out = deaccumulate(one_run([1.0, np.nan, 4.0, 5.0], range(1, 5)), "tp")
    np.testing.assert_array_equal(out["tp"], [1, np.nan, np.nan, 1])


def test_float32_stays_and_the_table_is_a_copy():
    table = one_run(np.array([1, 2], dtype=np.float32), [1, 2])
    out = deaccumulate(table, "tp")
    assert out["tp"].dtype == np.float32
    assert table["tp"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("table", "params", "message"),
    [
        (one_run([1.0], [1]), {"columns": "ssrd"}, "no column 'ssrd'"),
        (one_run([1.0], [1])["tp"], {}, "takes a DataFrame"),
        (one_run([1.0], [1]).droplevel("run"), {}, "no level named 'run'.*since=\"day\""),
        (one_run([1.0], [1]).reset_index(drop=True), {"since": "day"}, "needs date-times"),
        (one_run([1.0, 2.0], [1, 1]), {}, "row 1 .* is there twice"),
        (one_run([1.0], [1]), {"since": "week"}, "give a duration"),
        (one_run([1.0], [1]), {"since": "0h"}, "must be above 0"),
    ],
)
def test_what_is_wrong_is_named(table, params, message):
    with pytest.raises((ValueError, TypeError, PanelIndexError), match=message):
        deaccumulate(table, **{"columns": "tp", **params})
