"""Which weather provider does a network trust, when, and what does it cost if one fails: measured and drawn.

Three providers forecast the wind of three stations, four times six hours ahead. They say it in unlike ways, and none is
the best throughout: "north" errs little in winter and much in summer, "south" the other way round, and "radar" sees the
next six hours well and nothing after twelve. The last of three years is forecast by networks of the first two.

What comes out (benchmarks/results/whom_to_trust.json has the figures):

- The weights follow: each provider has most of the weight in the season, and at the lead, in which it errs least: radar
  0.79 six hours ahead, and a day ahead north 0.93 in winter and south 0.91 in summer.
- A provider that fails costs less where whole sources were dropped in training: without north the mean absolute error
  is 158 kW instead of 183, without south 162 instead of 172, without radar 119 instead of 121. Where none fails it
  costs a little: 99 instead of 97. An LSTM that reads all columns side by side errs by 103, and by 193 to 244 without
  one of the providers.
- Why does one shared projection make unlike spaces comparable? As there is one yardstick only, every encoder must bring
  what is to be trusted to where that yardstick reads high, whatever its columns are: scores are in one unit. With a
  projection for each source (`shared=False`) the softmax compares readings of different yardsticks, which are fitted to
  each other and mean nothing apart: with the yardstick of one source for all, the error rises from 97 to 163 kW.
- Sharing is not what makes two seeds agree, and forecasts are as good without. Of the weight of four seeds, 0.06 lies
  with another source in another seed if the projection is shared, and 0.05 if not; where two providers are equally good
  0.17 and 0.07. What makes seeds agree is that errors tell the providers apart.

Run: python examples/whom_to_trust.py [--only seasons failure] [--pictures]
"""

import argparse
import json
import os
import platform
import time
import warnings
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender, LSTMRegressor, SlidingWindower, SourceAttentionRegressor, __version__
from skts.exceptions import MissingHistoryWarning
from skts.features import CalendarFeatures
from skts.inspection import SourceWeightsDisplay, source_weights

ROOT = Path(__file__).resolve().parents[1]
TEST_FROM = "2023-01-01"
WINDOW, HORIZON = 4, 4  # of six hours each
STATIONS, CAPACITY = ("Abel", "Bera", "Cito"), 2000.0
SOURCES = {"north": "^north_", "south": "^south_", "radar": "^radar_"}
TWINS = {"one": "^one_", "two": "^two_", "noise": "^noise_"}


def make_table(seed=0):
    """Give what the providers say of the wind (m/s), and the power (kW) of the stations."""
    parts = [make_station(np.random.default_rng([seed, i])) for i in range(len(STATIONS))]
    tables = [pd.concat([one[i] for one in parts], keys=STATIONS, names=["station"]) for i in range(3)]
    return CalendarFeatures(["year"]).fit_transform(tables[0]), tables[1], tables[2]["power"]


def make_station(rng):
    """Give the table of providers that differ, that of two that do not, and the power, of one station."""
    times = pd.date_range("2021-01-01", TEST_FROM[:3] + "4-01-01", freq="6h", inclusive="left", name="time")
    wind = np.zeros(len(times))
    for t in range(1, len(times)):
        wind[t] = 0.75 * wind[t - 1] + np.sqrt(1 - 0.75**2) * rng.standard_normal()
    is_winter = np.cos(2 * np.pi * times.day_of_year.to_numpy() / 365.25) > 0
    lead = np.arange(len(times)) % HORIZON
    deviations = {
        "north": np.where(is_winter, 0.25, 1.0),
        "south": np.where(is_winter, 1.0, 0.25),
        "radar": np.array([0.1, 0.6, 2.0, 2.0])[lead],
        "one": 0.3,
        "two": 0.3,
        "noise": 2.0,
    }
    said = {name: wind + deviation * rng.standard_normal(len(times)) for name, deviation in deviations.items()}
    differing = {"north_speed": 8 + 3 * said["north"]}
    differing |= {"south_u": np.sin(said["south"] / 2), "south_v": np.cos(said["south"] / 2)}
    differing |= {"radar_echo": np.tanh(said["radar"] / 2), "radar_knots": -5.8 * said["radar"]}
    alike = {"one_speed": said["one"], "two_u": np.sin(said["two"] / 2), "two_v": np.cos(said["two"] / 2)}
    alike |= {"noise_speed": said["noise"]}
    power = CAPACITY / (1 + np.exp(-2 * wind))
    return tuple(pd.DataFrame(one, index=times) for one in (differing, alike, {"power": power}))


class Trust:
    """The tables, and the networks that were trained on them so far."""

    def __init__(self, options):
        self.quick = options.quick
        self.X, self.alike, self.y = make_table()
        self.is_new = np.asarray(self.X.index.get_level_values("time") >= TEST_FROM)
        self.seeds = range(2 if self.quick else 4)
        self.fitted = {}

    def fit(self, seed=0, twins=False, plain=False, **options):
        """Train a network, once."""
        key = (seed, twins, plain, *options.items())
        if key not in self.fitted:
            usual = {"hidden_size": 16, "lr": 0.01, "lr_schedule": "one_cycle", "max_epochs": 1 if self.quick else 20}
            usual |= {"random_state": seed, "device": "cpu"}
            sources = TWINS if twins else SOURCES
            regressor = LSTMRegressor(**usual) if plain else SourceAttentionRegressor(sources, **usual | options)
            X = self.alike if twins else self.X
            windower = SlidingWindower(WINDOW, horizon=HORIZON, stride=HORIZON, known=list(X.columns))
            steps = [("scale", StandardScaler()), ("history", HistoryPrepender(WINDOW)), ("windows", windower)]
            pipe = Pipeline([*steps, ("regressor", regressor)]).set_output(transform="pandas")
            self.fitted[key] = pipe.fit(X[~self.is_new], self.y[~self.is_new])
        return self.fitted[key]

    def error(self, pipe, missing=""):
        """Give the mean absolute error (kW) over the last year, with one provider missing throughout, if so."""
        X = self.X[self.is_new]
        gone = [name for name in X.columns if missing and name.startswith(missing)]
        return float(np.abs(pipe.predict(X.assign(**dict.fromkeys(gone, np.nan))) - self.y[self.is_new]).mean())


def measure_seasons(trust):
    """The weights by season and lead, hour by hour of the last year."""
    weights = source_weights(trust.fit(), trust.X[trust.is_new])
    months = weights.index.get_level_values("time").month
    season = np.where(np.isin(months, (11, 12, 1)), "winter", np.where(np.isin(months, (5, 6, 7)), "summer", "between"))
    means = weights.groupby([season, weights.index.get_level_values("lead")]).mean()
    return {
        name: {int(lead): one.loc[lead].to_dict() for lead in one.index}
        for name, one in ((name, means.loc[name]) for name in ("winter", "summer"))
    }


def measure_failure(trust):
    """The error with all providers, and without each: with dropout of sources, without, and of an LSTM."""
    networks = {"source_dropout=0": trust.fit(), "source_dropout=0.3": trust.fit(source_dropout=0.3)}
    networks["LSTM"] = trust.fit(plain=True)
    return {
        name: {missing or "none": trust.error(pipe, missing) for missing in ("", *SOURCES)}
        for name, pipe in networks.items()
    }


def measure_sharing(trust):
    """How far the weights of two seeds lie apart, and the error by the yardstick of one source alone."""
    found = {}
    for shared in (True, False):
        pipes = [trust.fit(seed, shared=shared) for seed in trust.seeds]
        twins = [trust.fit(seed, twins=True, shared=shared) for seed in trust.seeds]
        distances = {"that differ": distance_of(pipes, trust.X[trust.is_new])}
        distances["that are alike"] = distance_of(twins, trust.alike[trust.is_new])
        by_one = [error_by_one(trust, pipe, i) for pipe in pipes for i in range(len(SOURCES))]
        found["shared" if shared else "own"] = {
            "distance": distances,
            "mae": float(np.mean([trust.error(pipe) for pipe in pipes])),
            "mae_by_one_yardstick": float(np.mean(by_one)),
        }
    return found


def distance_of(pipes, X):
    """Give the weight that has to be moved from source to source to make that of one network that of another.

    The mean over rows and pairs of networks, from 0, where they are alike, to 1.
    """
    weights = [source_weights(pipe, X).to_numpy() for pipe in pipes]
    return float(np.mean([np.abs(one - other).sum(axis=1).mean() / 2 for one, other in combinations(weights, 2)]))


def error_by_one(trust, pipe, number):
    """Give the error where one projection and query of a network score all sources; which changes nothing if shared."""
    scores = pipe["regressor"].net_.module_.weigh_sources
    own = [weights.detach().clone() for weights in scores.parameters()]
    with torch.no_grad():
        for weights, before in zip(scores.parameters(), own, strict=True):
            weights.copy_(before[min(number, len(before) - 1)].expand_as(weights))
        error = trust.error(pipe)
        for weights, before in zip(scores.parameters(), own, strict=True):
            weights.copy_(before)
    return error


def draw(trust, folder):
    """Draw the weights by lead and by month."""
    import matplotlib.pyplot as plt

    weights = source_weights(trust.fit(), trust.X[trust.is_new])
    folder.mkdir(parents=True, exist_ok=True)
    for by in ("lead", "month"):
        display = SourceWeightsDisplay(weights=weights).plot(by=by, unit="h", step=6)
        display.figure_.savefig(folder / f"display_source_weights_{by}.png", dpi=100)
        plt.close(display.figure_)


PARTS = {"seasons": measure_seasons, "failure": measure_failure, "sharing": measure_sharing}


def write_table(part, found):
    """Give the lines of a table of what a part found."""
    if part == "seasons":
        rows = {f"{season}, lead {6 * int(lead)} h": one for season, by in found.items() for lead, one in by.items()}
    elif part == "failure":
        rows = {f"{name}, MAE in kW": one for name, one in found.items()}
    else:
        rows = {
            name: one["distance"] | {key: one[key] for key in ("mae", "mae_by_one_yardstick")}
            for name, one in found.items()
        }
    columns = list(next(iter(rows.values())))
    lines = [f"{'':28}" + "".join(f"{name:>22}" for name in columns)]
    return lines + [f"{name:28}" + "".join(f"{one[column]:22.3f}" for column in columns) for name, one in rows.items()]


def main(arguments=None):
    """Measure all parts or some, say what was found, and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to measure")
    parser.add_argument("--quick", action="store_true", help="a smoke test: hardly any training")
    parser.add_argument("--pictures", action="store_true", help="draw the weights, too, into docs/images")
    parser.add_argument("--output", type=Path, default=ROOT, help="where benchmarks/results and docs are")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", MissingHistoryWarning)  # providers fail here
    torch.set_num_threads(1)
    results = options.output / "benchmarks" / "results" / "whom_to_trust.json"
    trust = Trust(options)
    parts = json.loads(results.read_text())["parts"] if results.exists() else {}
    for part in options.only:
        start = time.process_time()
        parts[part] = PARTS[part](trust)
        print(f"{part}: {time.process_time() - start:.1f} s of one core", *write_table(part, parts[part]), sep="\n")
    if options.pictures:
        draw(trust, options.output / "docs" / "images")
    made_with = {
        "skts": __version__,
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
        "threads": 1,
    }
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps({"made_with": made_with, "parts": parts}, indent=1) + "\n")


if __name__ == "__main__":
    main()
