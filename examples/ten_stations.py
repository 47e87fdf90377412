"""Ten stations, three weather providers, a year to learn from and 59 days to forecast: from the files to the table.

Five wind farms and five solar parks, three providers whose runs come late or never at times, and every evening a
forecast of the next day: 1,416 hours of each station, each once. `make_weather_farm` generates the files; put your own
in their place.

What comes out (docs/studies/ten_stations.md tells more, benchmarks/results/ten_stations.json has the figures; RMSE in
per cent of the capacity):

- Three providers are better than the best alone: 14.8 instead of 17.1 for the wind, 9.6 instead of 10.3 for the sun.
- Attention over the sources has 13.4 for the wind, LightGBM on the same rows 13.3; for the sun both have 9.5.
- A provider that fails throughout costs attention with dropout of sources at most 1.0, LightGBM up to 3.8, and a
  network that reads all side by side up to 8.4; and the dropout costs nothing where none fails.

Run: python examples/ten_stations.py [--data FOLDER] [--quick] [--pictures]
"""

import argparse
import json
import os
import platform
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from lightgbm import LGBMRegressor
from sklearn.compose import make_column_selector
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender, LSTMRegressor, SlidingWindower, SourceAttentionRegressor, __version__
from skts.datasets import make_weather_farm, write_weather_farm
from skts.exceptions import MissingHistoryWarning, MissingRunsWarning
from skts.features import CalendarFeatures, SolarFeatures, WindFeatures
from skts.inspection import ErrorByLeadDisplay, SourceWeightsDisplay, source_weights
from skts.strategies import PerSeriesRegressor, WindowedRegressor
from skts.weather import ClearSkyIndex, at_stations, join_runs, read_runs

ROOT = Path(__file__).resolve().parents[1]
KINDS = ("wind", "solar")
PROVIDERS = ("aeolus", "boreas", "cirrus")
WINDOW, HORIZON = 24, 24  # hours
ORIGIN, FIRST = "20h", "5h"  # made at 20 o'clock, when all runs of noon should be there, of 01:00 to 24:00 of tomorrow
WEATHER = {"wind": ["u100", "v100", "u10", "v10", "t2m", "lead"], "solar": ["ghi", "tcc", "t2m", "lead"]}
STATIC = {"wind": ["hub_height", "wake_axis", "wake_deficit"], "solar": ["latitude", "tilt", "azimuth"]}
LEGEND = {"frameon": False, "fontsize": "small"}
BY_HAND = ("persistence", "climatology")
SIDE_BY_SIDE, ATTENTION, DROPOUT = "side by side", "attention", "attention, source dropout"
BOOSTING, PER_STATION = "LightGBM", "one network a station"
LEAVES = {"wind": {"num_leaves": 7, "n_estimators": 150}, "solar": {"num_leaves": 31, "n_estimators": 300}}


def read_folder(folder):
    """Read what is handed out: the stations, their power, what each provider said there, and when its runs arrived."""
    stations = pd.read_csv(folder / "stations.csv", index_col="station")
    files = sorted((folder / "measurements").glob("*.csv"))
    power = {path.stem: pd.read_csv(path, index_col="time", parse_dates=["time"])["power"] for path in files}
    runs = {name: at_stations(read_runs(folder / "forecasts" / name / "*.nc"), stations) for name in PROVIDERS}
    arrivals = pd.read_csv(folder / "arrivals.csv", index_col=["provider", "run"], parse_dates=["run", "available"])
    arrivals = {name: arrivals["available"][name] for name in PROVIDERS}
    return stations, pd.concat(power, names=["station"]), runs, arrivals


def make_table(stations, power, runs, arrivals):
    """Join what every provider had said by 20 o'clock about each hour of the next day, and the power by capacity."""
    days = pd.date_range(power.index.get_level_values("time").min().floor("D"), power.index[-1][1], inclusive="left")
    origins = days - pd.Timedelta("1D") + pd.Timedelta(ORIGIN)
    X = join_runs(runs, origins=origins, horizon=HORIZON, first=FIRST, delay=arrivals)
    share = power / stations["capacity"].reindex(power.index, level="station")
    return X.join(share.rename("power")).join(stations[sorted({*STATIC["wind"], *STATIC["solar"]})])


def make_pipeline(kind, stations, providers, regressor):
    """From what is joined to forecasts of the day ahead, with what tells of wind or of the sun."""
    if kind == "wind":
        u, v = ([f"{name}_{part}100" for name in providers] for part in "uv")
        features = [("wind", WindFeatures(u, v, features=["speed", "sin", "cos"]))]
    else:
        # hours are named by their end: the sun of their middle
        sun = SolarFeatures(stations["latitude"], stations["longitude"], offset="-30min")
        features = [("sun", sun), ("clouds", ClearSkyIndex([f"{name}_ghi" for name in providers]))]
    known = make_column_selector(f"^(?!{'|'.join(['power', *STATIC[kind]])})")  # all others
    windower = SlidingWindower(WINDOW, horizon=HORIZON, known=known, static=STATIC[kind])
    steps = [
        *features,
        ("calendar", CalendarFeatures(["hour", "year"])),
        ("scale", StandardScaler()),
        ("history", HistoryPrepender(WINDOW)),
        ("windows", windower),
        ("regressor", regressor),
    ]
    return Pipeline(steps).set_output(transform="pandas")


def make_arms(kind, stations, seed=0, quick=False):
    """Give what is compared: of each forecaster the providers that it reads, and the pipeline."""
    usual = {"hidden_size": 32, "lr": 0.005, "lr_schedule": "one_cycle", "max_epochs": 10, "series_embedding": 4}
    usual |= {"random_state": seed, "device": "cpu"} | ({"batch_size": 8, "hidden_size": 16} if quick else {})
    sources = {name: f"{name}_" for name in PROVIDERS}  # all columns of its name; the calendar and the power are none's
    boosting = LGBMRegressor(learning_rate=0.03, min_child_samples=40, n_jobs=1, verbose=-1, **LEAVES[kind])
    of_all = {
        SIDE_BY_SIDE: LSTMRegressor(**usual),
        ATTENTION: SourceAttentionRegressor(sources, **usual),
        DROPOUT: SourceAttentionRegressor(sources, source_dropout=0.4, **usual),
        BOOSTING: WindowedRegressor(boosting, leads="rows", lags=[5]),  # the last power that is there at the origin
    }
    arms = {f"{name} alone": ((name,), LSTMRegressor(**usual)) for name in PROVIDERS}
    arms |= {name: (PROVIDERS, regressor) for name, regressor in of_all.items()}
    arms = {name: (read, make_pipeline(kind, stations, read, last)) for name, (read, last) in arms.items()}
    own = LSTMRegressor(**usual | {"series_embedding": 0, "batch_size": 16})  # of a fifth of the windows
    return arms | {PER_STATION: (PROVIDERS, PerSeriesRegressor(make_pipeline(kind, stations, PROVIDERS, own)))}


class Job:
    """The table of one kind of stations, the days to forecast, and what was forecast so far."""

    def __init__(self, kind, X, stations, test_from, options):
        self.kind, self.quick = kind, options.quick
        self.stations = stations[stations["kind"] == kind]
        of_kind = X.index.get_level_values("station").isin(self.stations.index)
        weather = [f"{name}_{variable}" for name in PROVIDERS for variable in WEATHER[kind]]
        self.X = X.loc[of_kind, [*weather, "power", *STATIC[kind]]]
        self.y = self.X["power"]
        self.is_new = np.asarray(self.X.index.get_level_values("time") > test_from)
        first_origin = self.X.index.get_level_values("run")[self.is_new].min()
        self.y_train = self.y[~self.is_new].where(self.times(~self.is_new) <= first_origin)  # the rest nobody had yet
        self.seeds = range(1 if self.quick else 3)
        self.fitted = {}

    def times(self, rows):
        return self.X.index.get_level_values("time")[rows]

    def fit(self, name, seed=0):
        """Train an arm, once; give it with the providers that it reads, and its seconds of one core."""
        if (name, seed) not in self.fitted:
            read, pipe = make_arms(self.kind, self.stations, seed, self.quick)[name]
            start = time.process_time()
            pipe.fit(self.of(read)[~self.is_new], self.y_train)
            self.fitted[name, seed] = read, pipe, time.process_time() - start
        return self.fitted[name, seed]

    def of(self, providers):
        """Give the table without the columns of other providers."""
        others = [column for column in self.X if column.split("_")[0] in {*PROVIDERS} - {*providers}]
        return self.X.drop(columns=others)

    def forecast(self, name, seed=0, missing=None):
        """Forecast the new days, one value a row, with a provider switched off throughout if so."""
        if name in BY_HAND:
            y_pred = self.repeat() if name == "persistence" else self.average()
        else:
            read, pipe, _ = self.fit(name, seed)
            X = self.of(read)[self.is_new]
            gone = [column for column in X if missing and column.startswith(f"{missing}_")]
            y_pred = pipe.predict(X.assign(**dict.fromkeys(gone, np.nan)))
        return pd.Series(y_pred, self.y.index[self.is_new])

    def repeat(self):
        """Give the power of the same hour of the newest day that was measured at the origin."""
        station, run, time = (self.X.index.get_level_values(name) for name in ("station", "run", "time"))
        power = self.y.droplevel("run")
        power = power.groupby([station, time.hour]).ffill()  # outages
        before = time - pd.Timedelta("24h")
        before = before.where(before <= run, before - pd.Timedelta("24h"))
        wanted = pd.MultiIndex.from_arrays([station, before])[self.is_new]
        return power.reindex(wanted).to_numpy()

    def average(self):
        """Give the mean of the station at this hour of the day in this month, a year before."""
        station, time = (self.X.index.get_level_values(name) for name in ("station", "time"))
        hour = pd.MultiIndex.from_arrays([station, time.hour])
        month = pd.MultiIndex.from_arrays([station, time.hour, time.month])
        by_hour, by_month = (
            self.y_train.groupby(keys[~self.is_new]).mean().reindex(keys[self.is_new]).to_numpy()
            for keys in (hour, month)
        )
        return np.where(np.isnan(by_month), by_hour, by_month)

    def error_by_lead(self, name):
        """Give the RMSE in per cent of the capacity by the hour of the day ahead, as the mean over the seeds."""
        hour = (self.times(self.is_new) - pd.Timedelta("1h")).hour  # that ends at 01:00: 0
        errors = [self.forecast(name, seed) - self.y[self.is_new] for seed in self.seeds_of(name)]
        return np.mean([100 * np.sqrt((error**2).groupby(hour).mean()) for error in errors], axis=0)

    def seeds_of(self, name):
        return [0] if name in (*BY_HAND, BOOSTING) else self.seeds

    def score(self, name, missing=None):
        """Give the errors over all new hours in per cent of the capacity, of each seed."""
        errors = [self.forecast(name, seed, missing) - self.y[self.is_new] for seed in self.seeds_of(name)]
        return {
            "rmse": [100 * float(np.sqrt(np.nanmean(error**2))) for error in errors],
            "mae": [100 * float(np.nanmean(np.abs(error))) for error in errors],
        }


def measure_arms(job):
    """The errors of all that is compared, and what the training takes."""
    names = [*make_arms(job.kind, job.stations), *BY_HAND]
    found = {}
    for name in names:
        found[name] = job.score(name)
        if name not in BY_HAND:
            found[name]["seconds"] = float(np.mean([one[2] for key, one in job.fitted.items() if key[0] == name]))
    return found


def measure_failure(job):
    """The error with one provider switched off on all new days."""
    names = (SIDE_BY_SIDE, ATTENTION, DROPOUT, BOOSTING)
    return {
        name: {missing or "none": job.score(name, missing)["rmse"] for missing in (None, *PROVIDERS)} for name in names
    }


def measure_weights(job):
    """The mean weights by the season of the run, in the first and in the second half of the day ahead."""
    weights = weights_of(job)
    half = np.where(weights.index.get_level_values("lead") <= HORIZON // 2, "01 to 12", "13 to 24")
    means = weights.groupby([season_of(weights), half]).mean()
    return {f"{season}, {hours}": row.to_dict() for (season, hours), row in means.iterrows()}


def weights_of(job):
    _, pipe, _ = job.fit(DROPOUT)
    return source_weights(pipe, job.X[job.is_new])


def season_of(weights):
    """Tell the season of a run as the generator does: winter from October to March."""
    return np.where(weights.index.get_level_values("run").month.isin([10, 11, 12, 1, 2, 3]), "winter", "summer")


def draw_weights(jobs):
    """Whom the network trusts, hour by hour of the day ahead, before and after the first of April."""
    import matplotlib.pyplot as plt

    sizes = {"figsize": (7.5, 4.4), "sharex": True, "sharey": True, "layout": "constrained"}
    figure, axes = plt.subplots(2, 2, **sizes)
    for row, job in zip(axes, jobs, strict=True):
        weights = weights_of(job)
        season = season_of(weights)
        for ax, name in zip(row, ("winter", "summer"), strict=True):
            SourceWeightsDisplay(weights=weights[season == name]).plot(ax, by="lead")
            ax.set_title(
                f"{job.kind}, {'runs of March' if name == 'winter' else 'runs of April'}", loc="left", fontsize="medium"
            )
            ax.set_ylabel("mean weight" if name == "winter" else "")
            ax.set_xlabel("hour of the day ahead" if job is jobs[-1] else "")
            if not (job is jobs[0] and name == "summer"):
                ax.get_legend().remove()
    return figure


def draw_errors(jobs):
    """How the error goes with the hour of the day ahead, as the mean over the seeds."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(jobs), figsize=(7.5, 3.4), layout="constrained")
    for ax, job in zip(axes, jobs, strict=True):
        best = min((f"{name} alone" for name in PROVIDERS), key=lambda name: np.mean(job.score(name)["rmse"]))
        for name in (best, SIDE_BY_SIDE, DROPOUT, BOOSTING):
            error, none = job.error_by_lead(name), np.full(HORIZON, np.nan)
            display = ErrorByLeadDisplay(
                leads=np.arange(1, HORIZON + 1), error=error, low=none, high=none, metric="rmse", step="hours"
            )
            display.plot(ax, name="best provider alone" if name == best else name, unit="% of capacity")
        ax.get_legend().remove()
        ax.set_ylim(0)
        ax.set_title(f"{job.kind} (best: {best.split()[0]})", loc="left", fontsize="medium")
        ax.set_xlabel("hour of the day ahead")
    axes[1].set_ylabel("")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, **LEGEND)
    return figure


def draw_failure(jobs, parts):
    """What a provider that is switched off costs."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(jobs), figsize=(7.5, 3.2), layout="constrained")
    colors = ("#D55E00", "#56B4E9", "#009E73", "#CC79A7")  # as in the picture of the errors
    for ax, job in zip(axes, jobs, strict=True):
        found = parts[job.kind]["failure"]
        for i, (name, by) in enumerate(found.items()):
            heights = [np.mean(one) for one in by.values()]
            ax.bar(np.arange(len(by)) + 0.2 * (i - 1.5), heights, 0.18, color=colors[i], label=name)
        ax.set_xticks(range(4), ["all there", *(f"no {name}" for name in PROVIDERS)], fontsize="small")
        ax.set_title(job.kind, loc="left", fontsize="medium")
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("RMSE (% of capacity)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, **LEGEND)
    return figure


def write_arms(parts):
    """Give the errors of all that was compared, each the mean over its seeds, and the seconds of training."""
    lines = [
        f"| | {' | '.join(f'{kind}, RMSE | MAE | seconds' for kind in parts)} |",
        "|---" * (1 + 3 * len(parts)) + "|",
    ]
    for name in parts[KINDS[0]]["arms"]:
        cells = []
        for one in (found["arms"][name] for found in parts.values()):
            spread = f" ({min(one['rmse']):.2f} to {max(one['rmse']):.2f})" if len(one["rmse"]) > 1 else ""
            seconds = f"{one['seconds']:.0f}" if "seconds" in one else ""
            cells += [f"{np.mean(one['rmse']):.2f}{spread}", f"{np.mean(one['mae']):.2f}", seconds]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def write_failure(parts):
    """Give the RMSE with one provider switched off."""
    lines = [f"| | all there | {' | '.join(f'no {name}' for name in PROVIDERS)} |", "|---" * (2 + len(PROVIDERS)) + "|"]
    for kind, found in parts.items():
        for name, by in found["failure"].items():
            lines.append(f"| {kind}, {name} | {' | '.join(f'{np.mean(one):.2f}' for one in by.values())} |")
    return lines


def write_weights(parts):
    """Give the mean weights by season and hours of the day ahead."""
    lines = [f"| | {' | '.join(PROVIDERS)} |", "|---" * (1 + len(PROVIDERS)) + "|"]
    for kind, found in parts.items():
        for name, by in found["weights"].items():
            lines.append(f"| {kind}, {name} | {' | '.join(f'{one:.2f}' for one in by.values())} |")
    return lines


TABLES = {"arms": write_arms, "failure": write_failure, "weights": write_weights}  # by the mark on the page


def fill_in(page, parts):
    """Put the tables between the marks of the page."""
    for mark, write in TABLES.items():
        begin, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
        before, rest = page.read_text().split(begin)
        lines = "\n".join(write(parts))
        page.write_text(f"{before}{begin}\n{lines}\n\n{end}{rest.split(end)[1]}")


def do_job(options):
    """From the files to all figures; give what was trained, and the figures by kind."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.data or Path(temporary) / "farm"
        if not folder.exists():
            few = {"n_wind": 2, "n_solar": 2, "n_days": 60, "grid_size": 5, "start": "2024-02-05"}
            write_weather_farm(make_weather_farm(**few if options.quick else {}, random_state=0), folder)
        stations, *rest = read_folder(folder)
    X = make_table(stations, *rest)
    print(f"{len(X):,} rows of {len(stations)} stations after {time.perf_counter() - start:.0f} s", flush=True)
    test_from = X.index.get_level_values("time").max() - pd.Timedelta(days=10 if options.quick else 59)
    jobs, parts = [Job(kind, X, stations, test_from, options) for kind in KINDS], {}
    for job in jobs:
        hours = job.y[job.is_new].groupby(level="station").size()
        parts[job.kind] = {"forecasts": hours.to_dict()}
        for part, measure in (("arms", measure_arms), ("failure", measure_failure), ("weights", measure_weights)):
            parts[job.kind][part] = measure(job)
        print(f"{job.kind} after {time.perf_counter() - start:.0f} s", flush=True)
    return jobs, parts


def main(arguments=None):
    """Make the files where there are none, do the job, say what came out and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="where the files are, or are to be; a folder for now by default")
    parser.add_argument("--quick", action="store_true", help="a smoke test: four stations, two months, little training")
    parser.add_argument("--pictures", action="store_true", help="draw, too, into docs/images")
    parser.add_argument("--tables", action="store_true", help="fill in the page from the results, and run nothing")
    parser.add_argument("--output", type=Path, default=ROOT, help="where benchmarks/results and docs are")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", MissingHistoryWarning)  # the first day, and where a provider is switched off
    warnings.simplefilter("ignore", MissingRunsWarning)  # some runs are late or never come
    torch.set_num_threads(1)
    results = options.output / "benchmarks" / "results" / "ten_stations.json"
    page = options.output / "docs" / "studies" / "ten_stations.md"
    if not options.tables:
        jobs, parts = do_job(options)
        save(results, parts)
        if options.pictures:
            draw(options.output / "docs" / "images", jobs, parts)
    parts = json.loads(results.read_text())["parts"]
    print(*(line for write in TABLES.values() for line in [*write(parts), ""]), sep="\n")
    if page.exists():
        fill_in(page, parts)


def save(results, parts):
    """Keep the figures with what they were made with."""
    made_with = {
        "skts": __version__,
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
        "device": "cpu",
        "threads": 1,
    }
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps({"made_with": made_with, "parts": parts}, indent=1) + "\n")


def draw(folder, jobs, parts):
    """Draw the three pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {"weights": draw_weights(jobs), "errors": draw_errors(jobs), "failure": draw_failure(jobs, parts)}
    for name, figure in drawn.items():
        figure.savefig(folder / f"ten_stations_{name}.png", dpi=100)


if __name__ == "__main__":
    main()
