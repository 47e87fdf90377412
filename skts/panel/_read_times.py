"""A column of times as people have it: text, date-times, dates, periods, integers."""

import warnings
from typing import Any

import numpy as np
import pandas as pd

from skts.exceptions import PanelIndexError
from skts.panel._words import Words

_EXAMPLE = "2024-01-31 13:00"


def read_times(
    times: pd.Series, words: Words, *, time_format: str | None = None, tz: str | None = None, series: Any = None
) -> pd.Series:
    """Turn a column into times, text only where no day can be taken for a month.

    Parameters
    ----------
    times : Series of shape (n_rows,)
        Its index, by the name "row" or "line", tells in messages where a row stands. Missing times stay missing.
    words : Words
    time_format : str, default=None
        How text is written, as :func:`pandas.to_datetime` has it. None takes what begins with the year, as ISO 8601
        has it.
    tz : str, default=None
        The zone that times without one are in; times with one are brought to it. Where clocks go back, of two equal
        times of a series the first is summer time.
    series : list of Series, default=None
        Those that name the series of each row.

    Returns
    -------
    times : Series of shape (n_rows,)
        Date-times, periods or integers. Text with several offsets from UTC, as local time has over a year, becomes UTC.

    Raises
    ------
    PanelIndexError
        With the first row that holds no time, or one that the zone does not have.
    """
    dtype = times.dtype
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_float_dtype(dtype):
        times = _whole_numbers(times, words)
    elif pd.api.types.is_integer_dtype(dtype):
        times = times if times.isna().any() else times.astype(getattr(dtype, "numpy_dtype", dtype))
    elif not isinstance(dtype, pd.PeriodDtype) and not pd.api.types.is_datetime64_any_dtype(dtype):
        times = _parse(times, words, time_format)
    return times if tz is None else _bring_to_zone(times, words, tz, series)


def refuse_at(wrong: Any, rows: pd.Index, what: str, way_out: str) -> None:
    """Refuse rows, and name the first."""
    places = np.flatnonzero(wrong)
    if len(places):
        raise PanelIndexError(f"{what} in {rows.name} {rows[places[0]]}. {way_out}.")


def _whole_numbers(times: pd.Series, words: Words) -> pd.Series:
    numbers = times.to_numpy(dtype=np.float64, na_value=np.nan)
    fraction = ~np.isnan(numbers) & (numbers != np.rint(numbers))
    if fraction.any() or pd.api.types.is_bool_dtype(times.dtype):
        raise PanelIndexError(
            f"{words.given('time', times.name)} holds numbers such as {times[times.notna()].iloc[0]}, and times (text "
            f"such as {_EXAMPLE}, date-times, periods or integers) are expected: name another column."
        )
    return times if np.isnan(numbers).any() else times.astype(np.int64)


def _parse(times: pd.Series, words: Words, time_format: str | None) -> pd.Series:
    """Read text, and objects such as dates; of several offsets UTC."""
    how: Any = "ISO8601" if time_format is None else time_format
    try:
        return pd.to_datetime(times, format=how)
    except (ValueError, TypeError):
        read = pd.to_datetime(times, format=how, utc=True, errors="coerce")
    bad = (read.isna() & times.notna()).to_numpy()
    if not bad.any():
        return read
    example = times.iloc[int(np.flatnonzero(bad)[0])]
    said, given = f"{words.given('time', times.name)} holds", words.given("time_format", time_format)
    if time_format is not None:
        refuse_at(bad, times.index, f"{said} {example!r}, not of {given},", "Mend it, or give another format")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the guess, which is not taken
        is_time = not pd.isna(pd.to_datetime(example, errors="coerce", format="mixed"))
    if not is_time:
        way_out = "Mend it, or name another column"
        refuse_at(bad, times.index, f"{said} no time such as {_EXAMPLE} but {example!r}", way_out)
    way_out = f"Write {_EXAMPLE}, or say how it is written, as by {words.given('time_format', '%d/%m/%Y %H:%M')}"
    refuse_at(
        bad, times.index, f"{said} {example!r}, of which it is unclear what is the day and what the month,", way_out
    )
    raise AssertionError


def _bring_to_zone(times: pd.Series, words: Words, tz: str, series: Any) -> pd.Series:
    if not pd.api.types.is_datetime64_any_dtype(times.dtype):
        raise PanelIndexError(
            f"{words.given('tz', tz)}: only date-times have a zone, and {words.given('time', times.name)} holds "
            f"{times.dtype}. Leave {words.option('tz')} out."
        )
    if times.dt.tz is not None:
        return times.dt.tz_convert(tz)
    parts = [times] if not series else [part for _, part in times.groupby(list(series), sort=False, dropna=False)]
    return pd.concat([_localize(part, words, tz) for part in parts]).loc[times.index]


def _localize(times: pd.Series, words: Words, tz: str) -> pd.Series:
    """Give the times of one series their zone: of two that are equal the earlier row is summer time."""
    try:
        is_first = (~times.duplicated() & times.duplicated(keep=False)).to_numpy()
        placed = times.dt.tz_localize(tz, ambiguous=is_first, nonexistent="NaT")
        certain = times.dt.tz_localize(tz, ambiguous="NaT", nonexistent="NaT")
    except (ValueError, KeyError) as error:
        raise PanelIndexError(f"{words.given('tz', tz)}: {error}") from error
    lost = (placed.isna() & times.notna()).to_numpy()
    alone = (certain.isna() & placed.notna() & ~times.duplicated(keep=False)).to_numpy()
    for wrong, what in ((lost, "a time that this zone skips"), (alone, "a time that this zone has twice, and once")):
        if wrong.any():
            example = times.iloc[int(np.flatnonzero(wrong)[0])]
            said = f"{words.given('tz', tz)}: {words.given('time', times.name)} holds {example}, {what},"
            refuse_at(wrong, times.index, said, "Give times with their offset from UTC, or in UTC")
    return placed
