"""A change of units between runs is named, and ordinary weather is not."""

import warnings

import numpy as np
import pandas as pd
import pytest

from skts.exceptions import SuspectUnitsWarning
from skts.weather import join_runs

N_DAYS = 120


def make_weather(length, every=6, n_days=N_DAYS, stations=2, seed=0, latitude_like=1.0):
    """Make runs of what stations have: autumn to winter, days and nights, fronts, showers, and errors by lead."""
    rng = np.random.default_rng(seed)
    n = n_days * 24 + length
    hour = np.arange(n)
    front = np.convolve(rng.normal(size=n + 72), np.hanning(73) / np.sqrt(26), "valid")[:n]
    sun = np.maximum(0, np.sin((hour % 24 - 6) / 12 * np.pi)) * (1 - 0.6 * hour / n)
    truth = {
        "t2m_c": 12 * latitude_like - 25 * hour / n + 6 * sun + 4 * front,
        "ssrd": 900 * sun * (0.2 + 0.8 / (1 + np.exp(2 * front))),
        "tp": 3 * np.maximum(0, front - 0.7) ** 2 * (rng.random(n) < 0.5),
        "wind_direction": (220 + 90 * front) % 360,
        "u10": 4 * front + 2,
        "sp": 101_300 - 900 * front,
        "rh": np.clip(70 + 20 * front, 0, 100),
        "cape": np.maximum(0, 300 * sun * (front - 0.3)),
    }
    runs = np.arange(0, n_days * 24, every)
    station, run, lead = (part.ravel() for part in np.indices((stations, len(runs), length)))
    time = runs[run] + lead
    start = pd.Timestamp("2023-09-01")
    index = pd.MultiIndex.from_arrays(
        [station, start + pd.to_timedelta(runs[run], unit="h"), start + pd.to_timedelta(time, unit="h")],
        names=["station", "run", "time"],
    )
    spread = 1 + 0.02 * lead * rng.normal(size=len(lead))
    table = pd.DataFrame({name: values[time] * spread for name, values in truth.items()}, index=index)
    return table.assign(t2m=table["t2m_c"] + 273.15)


def ask(frame):
    """Give what is said of the units."""
    origins = frame.index.get_level_values("run").unique()[1:3]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        join_runs({"x": frame}, origins=origins, horizon=2, delay="0h")
    return "".join(str(w.message) for w in caught if w.category is SuspectUnitsWarning)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("length", "every"), [(72, 6), (48, 12), (24, 24), (6, 6), (3, 3), (240, 24)])
def test_ordinary_weather_has_one_unit(length, every, seed):
    assert ask(make_weather(length, every, seed=seed)) == ""
    assert ask(make_weather(length, every, n_days=4, seed=seed)) == ""


@pytest.mark.parametrize(("length", "every"), [(72, 6), (24, 24)])
@pytest.mark.parametrize("which", ["one", "later", "alternating"])
def test_kelvin_among_degrees_celsius_are_named(length, every, which):
    frame = make_weather(length, every)
    codes = frame.index.codes[1]
    wrong = {"one": codes == 7, "later": codes >= 30, "alternating": codes % 2 == 1}[which]
    frame.loc[wrong, "t2m_c"] += 273.15
    told = ask(frame)
    first = frame.index.levels[1][{"one": 7, "later": 30, "alternating": 1}[which]]
    assert f"x_t2m_c from the run {first} on (a jump of +2" in told
    assert "x_t2m " not in told
    if which == "one":
        assert f"1 of {len(frame.index.levels[1]):,} runs look like kelvin" in told


@pytest.mark.parametrize("factor", [1000, 1e-3])
@pytest.mark.parametrize("column", ["ssrd", "sp", "u10", "rh"])
def test_a_factor_of_a_thousand_is_named(column, factor):
    frame = make_weather(72)
    frame.loc[frame.index.codes[1] >= 30, column] *= factor
    assert f"x_{column} from the run {frame.index.levels[1][30]} on (a jump by a factor of " in ask(frame)


def test_nothing_is_mended_and_blanks_are_passed_over():
    frame = make_weather(24, 24, n_days=8)
    frame.loc[frame.index.codes[1] >= 4, "t2m_c"] += 273.15
    frame.loc[frame.index.codes[1] == 3, "t2m_c"] = np.nan
    with pytest.warns(SuspectUnitsWarning, match="Nothing was changed") as caught:
        table = join_runs({"x": frame}, origins=frame.index.levels[1][:1], horizon=24, delay="0h")
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(table["x_t2m_c"], frame["t2m_c"].xs(frame.index.levels[1][0], level="run"))
