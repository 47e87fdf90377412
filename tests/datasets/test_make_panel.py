import numpy as np
import pandas as pd
import pytest

from skts.datasets import make_panel


def test_it_has_the_promised_shape_and_index():
    X, y = make_panel(n_series=2, n_rows=48, freq="15min", random_state=0)
    assert X.shape == (96, 2)
    assert list(X.columns) == ["power", "wind"]
    assert X.index.names == ["station", "time"]
    times = pd.date_range("2024-01-01", periods=48, freq="15min")
    for station in X.index.unique("station"):
        assert (X.loc[station].index == times).all()
    pd.testing.assert_series_equal(y, X["power"])


def test_power_without_noise_follows_the_stated_recursion():
    X, _ = make_panel(n_series=3, n_rows=200, noise=0.0, random_state=0)
    for _, station in X.groupby(level="station"):
        power, wind = station["power"].to_numpy(), station["wind"].to_numpy()
        np.testing.assert_array_equal(power[1:], 0.5 * power[:-1] + 0.5 * np.tanh(wind[1:]) ** 2)


@pytest.mark.parametrize("noise", [0.05, 0.3])
def test_what_the_recursion_does_not_say_is_noise_of_the_promised_size(noise):
    X, _ = make_panel(n_series=3, n_rows=4000, noise=noise, random_state=0)
    power, wind = (X[column].to_numpy().reshape(3, 4000).T for column in ("power", "wind"))
    rest = power[1:] - 0.5 * power[:-1] - 0.5 * np.tanh(wind[1:]) ** 2
    assert rest.std() == pytest.approx(noise, rel=0.05)
    assert abs(rest.mean()) < 0.05 * noise


def test_the_seed_decides_everything():
    first, same, other = (make_panel(n_rows=50, missing=0.2, random_state=seed)[0] for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first, same)
    assert not np.allclose(first["wind"], other["wind"])
    as_state = make_panel(n_rows=50, missing=0.2, random_state=np.random.RandomState(3))[0]
    pd.testing.assert_frame_equal(first, as_state)


def test_a_share_of_the_power_is_missing_and_nothing_else_changes():
    X, y = make_panel(n_rows=5000, missing=0.1, random_state=0)
    whole, _ = make_panel(n_rows=5000, random_state=0)
    assert y.isna().mean() == pytest.approx(0.1, abs=0.01)
    assert not X["wind"].isna().any()
    pd.testing.assert_frame_equal(X.dropna(), whole[y.notna()])
    assert not whole.isna().any(axis=None)


def test_interleaving_orders_the_same_rows_by_time():
    stacked, _ = make_panel(n_series=12, n_rows=20, random_state=0)
    mixed, y = make_panel(n_series=12, n_rows=20, interleave=True, random_state=0)
    assert mixed.index.get_level_values("time").is_monotonic_increasing
    assert mixed.index[:12].get_level_values("station").tolist() == stacked.index.unique("station").tolist()
    pd.testing.assert_frame_equal(mixed.loc[stacked.index], stacked)
    pd.testing.assert_series_equal(y, mixed["power"])
