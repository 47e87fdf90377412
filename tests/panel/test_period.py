import pandas as pd
import pytest

from skts.panel import PanelIndex, write_period, write_step


def read(index):
    return PanelIndex.read(pd.DataFrame({"power": 0.0}, index=index))


def hours(start, periods=3, freq="h", **kwargs):
    return pd.date_range(start, periods=periods, freq=freq, **kwargs)


@pytest.mark.parametrize(
    ("index", "step", "period"),
    [
        (hours("2024-01-01"), "1 h", "2024-01-01 00:00 to 2024-01-01 02:00"),
        (hours("2024-01-01", tz="UTC"), "1 h", "2024-01-01 00:00 UTC to 2024-01-01 02:00 UTC"),
        (hours("2024-03-31", tz="Europe/Paris"), "1 h", "2024-03-31 00:00+01:00 to 2024-03-31 03:00+02:00"),
        (hours("2024-01-01", freq="36h"), "1 d 12 h", "2024-01-01 00:00 to 2024-01-04 00:00"),
        (hours("2024-01-01", freq="90s"), "1 min 30 s", "2024-01-01 00:00 to 2024-01-01 00:03"),
        (hours("2024-01-01", freq="250ms"), "0 days 00:00:00.250000", None),
        (pd.period_range("2024-01", periods=3, freq="M"), "1 month", "2024-01 to 2024-03"),
        (pd.period_range("2024-01", periods=3, freq="15min"), "15 min", "2024-01-01 00:00 to 2024-01-01 00:30"),
        (pd.MultiIndex.from_product([["a"], [5, 7, 9]]), "2", "5 to 9"),
        (pd.RangeIndex(3), "1 row", None),
    ],
)
def test_steps_and_periods_are_in_the_units_of_the_index(index, step, period):
    panel = read(index)
    assert write_step(panel.index.clock, panel.step) == step
    if period is not None or panel.index.clock is None:
        assert write_period(panel.index.clock, panel.ticks[0], panel.ticks[-1]) == period
