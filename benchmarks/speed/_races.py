"""The two races: what trains, what validates, what each library reads, and how forecasts are scored.

No row of a published test is read.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from benchmarks._report import data_file
from benchmarks.accuracy import epf, gefcom2014
from benchmarks.adapters import Boostings, Task
from skts.features import CalendarFeatures
from skts.metrics import mean_quantile_loss

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
HORIZON, WEEK = 24, 168
DECEMBER = 3  # of 2012, counted as the tasks of the competition, of which 4 is the first that was ranked
VALIDATED = 0.1  # of the hours of prices that train, the latest


@dataclass
class Wind:
    """Nine quantiles of the power of ten farms, a day ahead, for every day of December 2012.

    `train` and `valid` are indexed by farm and time, and have the power and the wind that was forecast for the hour.
    Forecasts have the shape (farms x days, 24, 9): each day from its midnight on.
    """

    train: pd.DataFrame
    valid: pd.DataFrame
    title: ClassVar[str] = "Wind: mean pinball loss of nine quantiles, ten farms, a day ahead"
    digits: ClassVar[int] = 5

    @classmethod
    def load(cls, data: Path | None, quick: bool = False) -> "Wind":
        """Read the table; `quick` keeps two farms and two months."""
        table = gefcom2014.load(data_file(data, gefcom2014.FILE))
        if quick:
            times = table.index.get_level_values("timestamp")
            table = table[times > "2012-11-01"].loc[[1, 2]]
        return cls(*gefcom2014.split(table, DECEMBER))

    def score(self, forecasts: np.ndarray) -> float:
        """Give the mean pinball loss."""
        forecasts = np.clip(forecasts.reshape(-1, len(LEVELS)), 0, 1)
        return float(mean_quantile_loss(self.valid["power"], forecasts, quantiles=LEVELS))

    def naive(self) -> np.ndarray:
        """Forecast the quantiles of each farm's past power."""
        rows = gefcom2014.climatology(self.train, self.valid, LEVELS)
        return rows.reshape(-1, HORIZON, len(LEVELS))

    def for_networks(self) -> Task:
        """A day of power and weather, the weather of the next 24 hours at all farms, the farm."""
        features = make_pipeline(*(step for _, step in gefcom2014.make_features("lstm")))
        table = pd.concat([self.train, self.valid]).sort_index()
        X = features.set_output(transform="pandas").fit_transform(table.drop(columns="power"))
        X_train = X.loc[self.train.index]
        table = pd.concat([table["power"], (X - X_train.mean()) / X_train.std()], axis=1).astype(np.float32)
        farms = table.index.get_level_values("farm").unique()
        static = pd.DataFrame(np.eye(len(farms)), index=farms, columns=[f"is_{farm}" for farm in farms])
        train = table.loc[self.train.index]
        first = len(train) // len(farms)
        return Task(train, table, "power", 24, HORIZON, first, list(X), static, LEVELS, step=HORIZON)

    def for_boostings(self) -> Boostings:
        """One row for each hour: weather of all farms and of the hours around, and the power before midnight."""
        steps = [step for _, step in gefcom2014.make_features(gefcom2014.BY_HAND)]
        features = make_pipeline(*steps, FunctionTransformer(gefcom2014.add_hours_around))
        table = pd.concat([self.train, self.valid]).sort_index()
        rows = features.set_output(transform="pandas").fit_transform(table.drop(columns="power"))
        rows = rows.assign(**power_before_midnight(table))
        train, valid = (rows.loc[part.index].to_numpy() for part in (self.train, self.valid))
        same = {"rows": train, "targets": self.train["power"].to_numpy(), "rows_test": valid}
        jobs = [{**same, "params": {"objective": "quantile", "alpha": level}} for level in LEVELS]
        return Boostings(jobs, (-1, HORIZON, len(LEVELS)), {"categorical_feature": [0]}, are_levels=True)


@dataclass
class Prices:
    """The next 24 hours of price at Nord Pool, from every hour of the last tenth of those that train.

    `train` and `valid` are indexed by time, and have price, exog1 and exog2, in deviations of the training. Forecasts
    have the shape (origins, 24).
    """

    train: pd.DataFrame
    valid: pd.DataFrame
    title: ClassVar[str] = "Prices: mean absolute error in deviations of the training, 24 hours from every hour"
    digits: ClassVar[int] = 4

    @classmethod
    def load(cls, data: Path | None, quick: bool = False) -> "Prices":
        """Read the table; `quick` keeps its first 1,500 hours."""
        table = epf.load(data_file(data, epf.FILE))["NP"]
        table = table[: 1500 if quick else int(len(table) * 0.7)]
        n_train = int(len(table) * (1 - VALIDATED))
        scaled = StandardScaler().set_output(transform="pandas").fit(table[:n_train]).transform(table)
        return cls(scaled[:n_train], scaled[n_train:])

    def score(self, forecasts: np.ndarray) -> float:
        """Give the mean absolute error over origins and hours."""
        return float(np.abs(forecasts - following(self.valid["price"])).mean())

    def naive(self) -> np.ndarray:
        """Forecast the prices of the day before."""
        return following(pd.concat([self.train[-HORIZON:], self.valid[:-HORIZON]])["price"])

    def for_networks(self) -> Task:
        """A week of everything, and calendar and exogenous columns of the next 24 hours."""
        table = self._with_calendar().astype(np.float32)
        table = pd.concat({"NP": table}, names=["market"])
        known = [*epf.CALENDAR, "exog1", "exog2"]
        n_train = len(self.train)
        return Task(table[:n_train], table, "price", WEEK, HORIZON, n_train, known, loss="mae")

    def _with_calendar(self) -> pd.DataFrame:
        calendar = CalendarFeatures(["hour", "weekday", "year"]).set_output(transform="pandas")
        return calendar.fit_transform(pd.concat([self.train, self.valid]))

    def for_boostings(self) -> Boostings:
        """One row for each second origin; a boosting for each hour ahead reads what stands around that hour."""
        table = self._with_calendar()
        price, n_train = table["price"].to_numpy(), len(self.train)
        origins = np.arange(WEEK, n_train - HORIZON + 1, 2)
        origins_valid = np.arange(n_train, len(table) - HORIZON + 1)
        jobs = [
            {
                "rows": design(table, origins, lead),
                "targets": price[origins + lead],
                "rows_test": design(table, origins_valid, lead),
                "params": {"objective": "mae"},
            }
            for lead in range(HORIZON)
        ]
        return Boostings(jobs, (-1, HORIZON))


def power_before_midnight(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Give the hours since the last midnight of every row, the power then, and its mean over six hours before."""
    farms = table["power"].groupby("farm")
    lead = farms.cumcount() % HORIZON
    mean = farms.transform(lambda power: power.shift(1).rolling(6).mean())
    before = {"last": farms.shift(1), "mean": mean}
    at_midnight = {name: column.where(lead == 0).groupby("farm").ffill() for name, column in before.items()}
    return {"lead": lead, **at_midnight}


def design(table: pd.DataFrame, origins: np.ndarray, lead: int) -> np.ndarray:
    """Make the row of each origin: the last day's prices, the same hour of seven days, and what is known ahead."""
    price, exog = table["price"].to_numpy(), table[["exog1", "exog2"]].to_numpy()
    hour = origins + lead
    last_known = origins + HORIZON - 1
    day = sliding_window_view(price, HORIZON)[origins - HORIZON]  # (origins, 24)
    week = sliding_window_view(price, WEEK)[origins - WEEK]
    exog_days = sliding_window_view(exog, HORIZON, axis=0).mean(-1)  # (hours - 23, 2), the day from each hour on
    return np.column_stack(
        [
            *(day, day.mean(1), day.min(1), day.max(1), week.mean(1)),
            *(price[hour - HORIZON * days] for days in range(1, 8)),
            *(exog[np.minimum(hour + step, last_known)] for step in range(-3, 4)),
            *(exog[hour - HORIZON], exog[hour - WEEK], exog_days[origins], exog_days[origins - HORIZON]),
            table[epf.CALENDAR].to_numpy()[hour],
        ]
    ).astype(np.float32)


def following(prices: pd.Series) -> np.ndarray:
    """Give the 24 values from each hour on, (hours - 23, 24)."""
    return sliding_window_view(prices.to_numpy(), HORIZON)


RACES = {"wind": Wind, "prices": Prices}
