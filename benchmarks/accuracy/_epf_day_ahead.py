"""What the two protocols share that forecast prices once a day, with the exogenous columns of that day known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks._report import data_file
from benchmarks.accuracy.epf import FILE, HORIZON, MARKETS, WINDOW, load
from skts import HistoryPrepender, NetRegressor, SlidingWindower
from skts.features import CalendarFeatures
from skts.nn import MLP, EncoderDecoder
from skts.strategies import EnsembleRegressor

WIND_ALONE = "DE, wind alone"  # as the file of epf.py has that market
PARTS = [*MARKETS, WIND_ALONE]
EXOGENOUS = ["exog1", "exog2"]
KINDS = ["lstm", "mlp", "mlp, levels kept"]
DAYS_READ = [HORIZON * day - hour for day in (1, 2, 3, 7) for hour in range(HORIZON)]
_PERCEPTRON = {
    "network": MLP,
    "network_params": {"hidden_sizes": (256, 128), "lags": DAYS_READ, "dropout": 0.2, "linear_skip": True},
    "lr": 1e-3,
    "batch_size": 32,
}
_KEPT = {  # reads what `Scale` gives, and no calendar, in the window
    "network_params": _PERCEPTRON["network_params"] | {"columns": [0, 1, 2]},
    "max_epochs": 60,
}
_NETWORKS = {  # its parameters, the rows between the origins that it learns from, and the calendar it is told
    "lstm": (
        {
            "network": EncoderDecoder,
            "network_params": {"hidden_size": 96, "dropout": 0.1, "patch_len": HORIZON, "linear_skip": True},
            "instance_norm": "median",
            "max_epochs": 12,
            "lr": 5e-3,
            "batch_size": 128,
        },
        6,
        ["hour", "weekday", "year"],
    ),
    "mlp": (_PERCEPTRON | {"instance_norm": "median", "max_epochs": 20}, 12, ["hour", "weekday", "year"]),
    "mlp, levels kept": (_PERCEPTRON | _KEPT, 24, ["weekday"]),
}
QUICK = {"lstm": {"hidden_size": 8}, "mlp": {"hidden_sizes": (8,)}, "mlp, levels kept": {"hidden_sizes": (8,)}}


@dataclass(frozen=True)
class Scale:
    """Units in which spikes do not rule the training: asinh of prices in deviations of the training hours."""

    middle: float
    spread: float
    exogenous: StandardScaler

    @classmethod
    def fit(cls, table):
        middle = table["price"].median()
        spread = (table["price"] - middle).abs().median() / 0.6745  # the deviation, were they normal
        scaler = StandardScaler().set_output(transform="pandas")
        return cls(middle, spread, scaler.fit(table[EXOGENOUS]))

    def transform(self, table):
        """Scale all columns."""
        price = np.arcsinh((table["price"] - self.middle) / self.spread)
        return self.exogenous.transform(table[EXOGENOUS]).assign(price=price)

    def inverse(self, values):
        """Give prices, or quantiles of them."""
        return np.sinh(values) * self.spread + self.middle


def add_markets(parser):
    """Let the markets be chosen."""
    parser.add_argument("--markets", nargs="+", choices=PARTS, help="by default all that there are files for")
    parser.add_argument(
        "--german",
        type=Path,
        help="DE.csv of https://zenodo.org/records/4624805, where the forecast of DE has the sun, as in what was "
        "published; without it that market is left out",
    )


def read_markets(options):
    """Read the tables that were chosen: price, exog1 and exog2 by time."""
    tables = load(data_file(options.data, FILE))
    tables[WIND_ALONE] = tables.pop("DE")
    if options.german:
        tables["DE"] = with_sun(tables[WIND_ALONE], options.german)
    missing = set(options.markets or []) - set(tables)
    if missing:
        raise SystemExit("--markets DE: give its file as well, --german DE.csv.")
    return {market: tables[market] for market in options.markets or PARTS if market in tables}


def with_sun(table, file):
    """Forecast wind and sun of DE instead of wind."""
    original = pd.read_csv(file, index_col=0, parse_dates=True).rename(columns=str.strip)
    if not original["Price"].equals(table["price"]):
        raise SystemExit(f"--german {file}: its prices are not those of the table.")
    return table.assign(exog1=original["PV+Wind Forecast"])


def make_pipeline(kind, seed, quick=False, quantiles=None):
    """A network of its kind, told the exogenous columns of the day ahead."""
    params, stride, cycles = _NETWORKS[kind]
    if quick:
        params = params | {"network_params": params["network_params"] | QUICK[kind], "max_epochs": 1}
    if not quantiles:
        params = params | {"net_params": {"criterion": torch.nn.L1Loss}}
    network = NetRegressor(**params, lr_schedule="one_cycle", weight_decay=1e-2, quantiles=quantiles)
    known = [f"{cycle}_{part}" for cycle in cycles for part in ("sin", "cos")] + EXOGENOUS
    steps = [
        ("calendar", CalendarFeatures(cycles)),
        ("history", HistoryPrepender(WINDOW)),
        ("windows", SlidingWindower(WINDOW, HORIZON, stride=24 if quick else stride, known=known)),
        ("network", EnsembleRegressor(network, n_members=2 if quick else 4, random_state=seed)),
    ]
    return Pipeline(steps).set_output(transform="pandas")


def last_day_or_week(price):
    """Forecast the day before, and on Mondays, Saturdays and Sundays the week before."""
    same_as_week = price.index.day_of_week.isin([0, 5, 6])
    return price.shift(HORIZON).where(~same_as_week, price.shift(WINDOW))
