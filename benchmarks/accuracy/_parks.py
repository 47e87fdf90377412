"""Generated solar parks whose table looks like that of a real data set: megawatts, holes, curtailment, poor clouds."""

import numpy as np
import pandas as pd
import pvlib

from skts.datasets import make_weather_farm
from skts.weather import at_stations

N_DAYS, N_TEST = 424, 59  # a year to learn from
KINDS = {
    "measured": "weather measured at the park, by sensors that err by a few percent",
    "one forecast": "the forecast of one provider, with cloud errors that last for hours",
    "three forecasts": "those of three providers, with errors that they share in part",
}
_PROVIDERS = {"one forecast": ["boreas"], "three forecasts": ["aeolus", "boreas", "cirrus"]}


def make_parks(kind, seed, n_parks=10, n_days=N_DAYS):
    """Generate a panel of solar parks.

    Parameters
    ----------
    kind : {"measured", "one forecast", "three forecasts"}
        What is known of the weather ahead.
    seed : int
        Decides everything; the first day is that of 2 March 2023, and two months later for each seed.
    n_parks, n_days : int

    Returns
    -------
    X : DataFrame of shape (n_parks * 24 * n_days, n_columns)
        By (station, time), hours that end at their time, in UTC: `power` (MW, 15 % missing), `capacity` (MW) and
        weather.
    known : list of str
        The columns known ahead.
    places : DataFrame of shape (n_parks, 2)
        `latitude` and `longitude` by station.
    """
    farm = make_weather_farm(
        n_wind=0,
        n_solar=n_parks,
        n_days=n_days,
        start=pd.Timestamp("2023-03-02") + pd.DateOffset(months=2 * seed % 12),
        n_leads=36,
        grid_size=5,
        outages=0.12,
        missing=0.0,
        random_state=seed,
    )
    rng = np.random.default_rng(seed)
    X = measured(farm, rng) if kind == "measured" else forecast(farm, _PROVIDERS[kind], rng)
    known = list(X)
    power, X["capacity"] = make_power(farm, np.random.default_rng(seed + 1000))
    X["power"] = power.where(farm.power.notna()).mask(rng.random(len(X)) < 0.035).round(3)
    return X, known, farm.stations[["latitude", "longitude"]]


def make_power(farm, rng):
    """Make the power (MW) of parks that are built alike, and give their capacities (MW), both by row.

    Panels face south within a few degrees, give less when warm, dusty or shut in part, and are held by the inverter
    and, one day in thirty, by the grid.
    """
    powers, capacities = [], []
    for station, weather in farm.true_weather.groupby(level=0):
        times, capacity = weather.index.get_level_values(-1), float(rng.integers(30, 131))
        on_panel = irradiance_on_panel(weather["ghi"].to_numpy(), times, farm.stations.loc[station], rng)
        cell = weather["t2m"].to_numpy() - 273.15 + 0.03 * on_panel
        n_days = len(times) // 24
        dust = 1 - 0.04 * np.abs(ar1(rng, n_days, memory=15.0))
        shut = np.where(rng.random(n_days) < 0.08, rng.uniform(0.5, 0.95, n_days), 1.0)
        limit = np.where(rng.random(n_days) < 1 / 30, rng.uniform(0.2, 0.6, n_days), 1.0)
        share = on_panel / 1000 * (1 - 0.004 * (cell - 25)) * 1.1 * np.repeat(dust * shut, 24)
        share *= 1 + 0.03 * rng.standard_normal(len(times))
        powers.append(capacity * np.clip(share, 0, np.repeat(limit, 24)))
        capacities.append(np.full(len(times), capacity))
    return pd.Series(np.concatenate(powers), farm.true_weather.index), np.concatenate(capacities)


def irradiance_on_panel(irradiance, times, place, rng):
    """Compute the irradiance (W/m2) of a tilted panel from that of a level one, in hours that end at `times`."""
    middle = (times - pd.Timedelta(minutes=30)).tz_localize("UTC")
    sun = pvlib.solarposition.get_solarposition(middle, place["latitude"], place["longitude"])
    parts = pvlib.irradiance.erbs(irradiance, sun["zenith"], middle)
    whole = pvlib.irradiance.get_total_irradiance(
        rng.uniform(28, 36),
        rng.uniform(172, 188),
        sun["apparent_zenith"],
        sun["azimuth"],
        parts["dni"],
        irradiance,
        parts["dhi"],
    )
    return np.nan_to_num(whole["poa_global"].to_numpy())


def measured(farm, rng):
    """Read the weather at the parks with sensors that err by 4 % of irradiance, a degree, 2 % of hours missing."""
    true = farm.true_weather
    X = pd.DataFrame(
        {
            "irradiance": (true["ghi"] * (1 + 0.04 * rng.standard_normal(len(true)))).round(0),
            "temperature": (true["t2m"] - 273.15 + rng.standard_normal(len(true))).round(1),
            "wind_speed": np.hypot(true["u10"], true["v10"]).round(1),
            "pressure": (true["sp"] / 100).round(1),
        }
    )
    return X.mask(rng.random(X.shape) < 0.02).rename_axis(["station", "time"])


def forecast(farm, providers, rng):
    """Take the run of noon before each day, and blur its clouds by park with a memory of 5 hours."""
    parts = []
    for provider in providers:
        table = at_stations(farm.forecasts[provider], farm.stations)
        lead = table.index.get_level_values("time") - table.index.get_level_values("run")
        hours = lead / pd.Timedelta(hours=1)
        table = table[(hours > 12) & (hours <= 36)].droplevel("run").reindex(farm.power.index)
        n_hours = len(table) // len(farm.stations)
        noise = np.stack([ar1(rng, n_hours, memory=5.0) for _ in farm.stations.index]).ravel()
        parts.append(
            pd.DataFrame(
                {
                    "irradiance": (table["ghi"] * np.exp(0.3 * noise - 0.045)).round(0),
                    "temperature": (table["t2m"] - 273.15).round(1),
                    "wind_speed": np.hypot(table["u10"], table["v10"]).round(1),
                    "cloud": table["tcc"].round(2),
                }
            ).add_prefix(f"{provider}_")
        )
    return pd.concat(parts, axis=1)


def ar1(rng, n, memory):
    """Draw a series of variance 1 whose correlation falls to 1/e in `memory` steps."""
    keep = np.exp(-1 / memory)
    noise = rng.standard_normal(n) * np.sqrt(1 - keep**2)
    out = np.empty(n)
    out[0] = rng.standard_normal()
    for i in range(1, n):
        out[i] = keep * out[i - 1] + noise[i]
    return out
