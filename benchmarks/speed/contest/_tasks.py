"""The two races: what trains, what validates, and how forecasts are scored. No row of a published test is read."""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from skts.metrics import mean_quantile_loss

sys.path.append(str(Path(__file__).parents[2] / "accuracy"))
gefcom2014, epf = (importlib.import_module(name) for name in ("gefcom2014", "epf"))

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
HORIZON = 24
DECEMBER = 3  # of 2012, counted as the tasks of the competition, of which 4 is the first that was ranked
VALIDATED = 0.1  # of the hours of prices that train, the latest


@dataclass
class Wind:
    """Nine quantiles of the power of ten farms, a day ahead, for every day of December 2012.

    `train` and `valid` are indexed by farm and time, and have the power and the wind that was forecast for the hour.
    Forecasts have the shape (rows of `valid`, 9): each day from its midnight on.
    """

    train: pd.DataFrame
    valid: pd.DataFrame
    file: ClassVar[Path] = gefcom2014.FILE

    @classmethod
    def load(cls, file, quick=False):
        """Read the table; `quick` keeps two farms and two months."""
        table = gefcom2014.load(file)
        if quick:
            times = table.index.get_level_values("timestamp")
            table = table[times > "2012-11-01"].loc[[1, 2]]
        return cls(*gefcom2014.split(table, DECEMBER))

    def score(self, forecasts):
        """Give the mean pinball loss."""
        return float(mean_quantile_loss(self.valid["power"], np.clip(forecasts, 0, 1), quantiles=LEVELS))

    def naive(self):
        """Forecast the quantiles of each farm's past power."""
        levels = {farm: power.quantile(LEVELS) for farm, power in self.train["power"].groupby("farm")}
        return np.stack([levels[farm] for farm in self.valid.index.get_level_values("farm")])


@dataclass
class Prices:
    """The next 24 hours of price at Nord Pool, from every hour of the last tenth of those that train.

    `train` and `valid` are indexed by time, and have price, exog1 and exog2, in deviations of the training. Forecasts
    have the shape (origins, 24).
    """

    train: pd.DataFrame
    valid: pd.DataFrame
    file: ClassVar[Path] = epf.FILE

    @classmethod
    def load(cls, file, quick=False):
        """Read the table; `quick` keeps its first 1,500 hours."""
        table = epf.load(file)["NP"]
        table = table[: 1500 if quick else int(len(table) * 0.7)]
        n_train = int(len(table) * (1 - VALIDATED))
        scaled = StandardScaler().set_output(transform="pandas").fit(table[:n_train]).transform(table)
        return cls(scaled[:n_train], scaled[n_train:])

    def score(self, forecasts):
        """Give the mean absolute error over origins and hours."""
        return float(np.abs(forecasts - following(self.valid["price"])).mean())

    def naive(self):
        """Forecast the prices of the day before."""
        prices = pd.concat([self.train[-HORIZON:], self.valid[:-HORIZON]])["price"]
        return following(prices)


def following(prices):
    """Give the 24 values from each hour on, (hours - 23, 24)."""
    return np.lib.stride_tricks.sliding_window_view(prices.to_numpy(), HORIZON)


TASKS = {"wind": Wind, "prices": Prices}
