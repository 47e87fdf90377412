"""Tables that somebody will give one day, made as small as they can be."""

import numpy as np
import pandas as pd

N = 24


def hours(n=N, start="2024-01-01", freq="h", **kwargs):
    return pd.date_range(start, periods=n, freq=freq, **kwargs)


def panel(names=("a", "b"), times=None):
    """Make a panel of two columns, one of them the target's own past."""
    times = hours() if times is None else times
    index = pd.MultiIndex.from_product([list(names), times], names=["station", "time"])
    t = np.arange(len(index), dtype=float)
    y = pd.Series(np.cos(t / 3) + 2, index=index, name="y")
    return pd.DataFrame({"x0": np.sin(t / 2) + 2, "x1": y}, index=index), y


def frame(times):
    """Make a table of one series."""
    X, y = panel(["a"], np.arange(len(times)))
    return X.set_axis(times), y.set_axis(times)


def array(n=N):
    X, y = panel(["a"], np.arange(n))
    return X.to_numpy(copy=True), y.to_numpy(copy=True)


def change(X=None, y=None, of=panel):
    """Make a panel, and give it through functions."""

    def make():
        table, target = of()
        return (X or (lambda some: some))(table), (y or (lambda some: some))(target)

    return make


def whole_numbers(dtype, missing_above=np.inf):
    def convert(table):
        tens = (10 * table).round().astype(dtype)
        return tens if np.isinf(missing_above) else tens.mask(tens > missing_above)

    return convert


def whole(dtype):
    """Make a table of whole numbers."""
    return change(whole_numbers(dtype), whole_numbers("int64"))


def make_rows(order, target_too=True):
    def make():
        X, y = panel()
        rows = order(len(X))
        return X.iloc[rows], (y.iloc[rows] if target_too else y)

    return make


def irregular():
    """One series by the hour, and one by three hours."""
    X, y = panel()
    keep = np.r_[0:N, N : 2 * N : 3]
    return X.iloc[keep], y.iloc[keep]


def off_grid():
    X, y = panel()
    times = X.index.get_level_values(1).to_numpy().copy()
    times[30] += np.timedelta64(7, "m")
    index = pd.MultiIndex.from_arrays([X.index.get_level_values(0), times], names=X.index.names)
    return X.set_axis(index), y.set_axis(index)


def with_column(values):
    """Put other values into the first column."""

    def make():
        X, y = panel()
        return X.assign(x0=values(len(X)) if callable(values) else values), y

    return make


def cell(value, column=0, row=10):
    def make():
        X, y = panel()
        X = X.astype(object) if isinstance(value, str) else X
        X.iloc[row, column] = value
        return X, y

    return make


def target(values):
    def make():
        X, y = panel()
        return X, values(y)

    return make


def weighted(values):
    def make():
        X, y = panel()
        return X, y, values(len(X))

    return make


def indexed(series=None, times=None):
    """Name the two series otherwise, or give them other times."""
    return lambda: panel(("a", "b") if series is None else series, times)


def leveled(to_index):
    def make():
        X, y = panel()
        index = to_index(X.index)
        return X.set_axis(index), y.set_axis(index)

    return make


def locked(make):
    def inner():
        X, y = make()
        X.flags.writeable = y.flags.writeable = False
        return X, y

    return inner


def categorical(index):
    names = pd.Categorical(index.get_level_values(0), categories=["unused", "b", "a", "never"])
    return pd.MultiIndex.from_arrays([names, index.get_level_values(1)], names=index.names)


def object_level(names):
    """An index whose series level holds Python objects."""

    def change_index(index):
        level = pd.Index([names[0]] * N + [names[1]] * N, dtype=object, tupleize_cols=False)
        return pd.MultiIndex.from_arrays([level, index.get_level_values(1)], names=index.names)

    return change_index


def with_runs(index, every="2h", ahead="0h", numbers=False):
    """Put a level of runs before the times, which begin every so often."""
    series, times = (index.get_level_values(level) for level in (0, 1))
    runs = times.floor(every) + pd.Timedelta(ahead)
    return pd.MultiIndex.from_arrays(
        [series, runs.hour if numbers else runs, times], names=[index.names[0], "run", index.names[1]]
    )


def read_only(y):
    values = y.to_numpy(copy=True)
    values.flags.writeable = False
    return values


def strided():
    X, y = array(2 * N)
    wide = np.repeat(X, 3, axis=1)
    return wide[::2, ::3], y[::2]


MAKE = {
    # ---- size
    "one row": change(lambda X: X.iloc[:1], lambda y: y.iloc[:1]),
    "one row of each of 30 series": lambda: panel(range(30), hours(1)),
    "two rows of each series": lambda: panel(times=hours(2)),
    "no rows": change(lambda X: X.iloc[:0], lambda y: y.iloc[:0]),
    "no columns": change(lambda X: X.iloc[:, :0]),
    "an array without rows": lambda: (np.empty((0, 2)), np.empty(0)),
    "an array without columns": lambda: (np.empty((N, 0)), np.arange(N)),
    "a series shorter than a window": lambda: tuple(
        pd.concat([one, two]) for one, two in zip(panel(), panel("c", hours(7)), strict=True)
    ),
    # ---- values
    "a constant column": with_column(3.0),
    "everything constant": change(lambda X: X * 0, lambda y: y * 0),
    "a column of NaN": with_column(np.nan),
    "nothing but NaN": change(lambda X: X * np.nan),
    "a NaN": cell(np.nan),
    "inf": cell(np.inf),
    "1e30": cell(1e30),
    "1e300": cell(1e300),
    "a column of 1e30": with_column(1e30),
    "a string in a column of numbers": cell("n/a"),
    "a column of numbers as strings": with_column(lambda n: np.arange(n).astype(str)),
    "a column of words": with_column("east"),
    "a column of dates": with_column(lambda n: hours(n)),
    "a column of categories": with_column(lambda n: pd.Categorical(["on", "off"] * (n // 2))),
    "complex numbers": with_column(1j),
    "a sparse column": with_column(lambda n: pd.arrays.SparseArray(np.arange(n) % 3.0)),
    # ---- dtypes
    "bool": change(lambda X: X > 2, lambda y: y > 2),
    "int64": whole("int64"),
    "int8": whole("int8"),
    "uint8": whole("uint8"),
    "float16": change(lambda X: X.astype("float16")),
    "float32": change(lambda X: X.astype("float32")),
    "object of floats": change(lambda X: X.astype(object)),
    "object with None": change(lambda X: X.astype(object).where(X < 2.9, None)),
    "bool beside float": with_column(lambda n: np.arange(n) % 2 == 0),
    "nullable Int64": whole("Int64"),
    "nullable Int64 with NA": change(whole_numbers("Int64", 29), whole_numbers("int64")),
    "nullable Float64 with NA": change(lambda X: X.astype("Float64").mask(X > 2.9)),
    "nullable boolean with NA": change(lambda X: (X > 2).astype("boolean").mask(X > 2.9), lambda y: y > 2),
    "pyarrow double with null": change(lambda X: X.mask(X > 2.9).astype("double[pyarrow]")),
    "pyarrow int64": whole("int64[pyarrow]"),
    "pyarrow bool": change(lambda X: (X > 2).astype("bool[pyarrow]"), lambda y: y > 2),
    # ---- arrays
    "an array": array,
    "a list of lists": lambda: tuple(some.tolist() for some in array()),
    "a read-only array": locked(array),
    "a Fortran-ordered array": change(np.asfortranarray, of=array),
    "a non-contiguous array": strided,
    "a big-endian array": change(lambda X: X.astype(">f8"), lambda y: y.astype(">f8"), of=array),
    "an array of objects": change(lambda X: X.astype(object), of=array),
    "an array of one dimension": change(lambda X: X[:, 0], of=array),
    "an array of integers": change(lambda X: (X * 10).astype(int), lambda y: (y * 10).astype(int), of=array),
    "a masked array": change(lambda X: np.ma.masked_greater(X, 2.9), of=array),
    # ---- columns
    "duplicated columns": lambda: (panel()[0].assign(x2=lambda X: X["x0"]), panel()[1]),
    "duplicated column names": change(lambda X: X.set_axis(["x", "x"], axis=1)),
    "column names of integers": change(lambda X: X.set_axis([0, 1], axis=1)),
    "column names of mixed types": change(lambda X: X.set_axis(["x", 1], axis=1)),
    "column names None": change(lambda X: X.set_axis([None, "x"], axis=1)),
    "a MultiIndex of columns": change(lambda X: X.set_axis(pd.MultiIndex.from_tuples([("u", 1), ("v", 1)]), axis=1)),
    # ---- rows
    "unsorted stations": make_rows(lambda n: np.r_[N : 2 * N, 0:N]),
    "interleaved rows": make_rows(lambda n: np.arange(n).reshape(2, -1).T.ravel()),
    "shuffled rows": make_rows(lambda n: np.random.default_rng(0).permutation(n)),
    "a repeated row": make_rows(lambda n: np.r_[0:5, 4:n]),
    "a row moved back": make_rows(lambda n: np.r_[0:5, 7, 5, 6, 8:n]),
    "a gap": make_rows(lambda n: np.delete(np.arange(n), [8, 9, 31])),
    "a gap of ten years": leveled(
        lambda index: index.set_levels(hours()[:12].append(hours(12, "2034-01-01")), level=1)
    ),
    "mixed frequencies": irregular,
    "a time between the steps": off_grid,
    # ---- times
    "a plain DatetimeIndex": lambda: frame(hours()),
    "daily stamps": indexed(times=hours(freq="D")),
    "monthly stamps": indexed(times=hours(freq="MS")),
    "monthly periods": indexed(times=pd.period_range("2024-01", periods=N, freq="M")),
    "yearly periods": indexed(times=pd.period_range("1990", periods=N, freq="Y")),
    "a PeriodIndex": lambda: frame(pd.period_range("2024-01-01", periods=N, freq="h")),
    "hours over the spring clock change": indexed(times=hours(start="2024-03-30 18:00", tz="Europe/Paris")),
    "hours over the autumn clock change": indexed(times=hours(start="2024-10-26 18:00", tz="Europe/Paris")),
    "days over the spring clock change": indexed(times=hours(start="2024-03-20", freq="D", tz="Europe/Paris")),
    "days over the autumn clock change": indexed(times=hours(start="2024-10-16", freq="D", tz="Europe/Paris")),
    "wall-clock hours, one of them twice": indexed(
        times=hours(start="2024-10-26 18:00", tz="Europe/Paris").tz_localize(None)
    ),
    "a time zone of half an hour": indexed(times=hours(tz="Asia/Kolkata")),
    "nanosecond stamps": indexed(times=hours(freq="7ns")),
    "second resolution": indexed(times=hours().as_unit("s")),
    "integer times": indexed(times=np.arange(-5, N - 5)),
    "integer times near the largest": indexed(times=np.arange(N) + (2**63 - 1 - N)),
    "uint64 times": indexed(times=np.arange(N, dtype="uint64")),
    "uint64 times near the largest": indexed(times=np.arange(N, dtype="uint64") + np.uint64(2**64 - 1 - N)),
    "nullable integer times": indexed(times=pd.Index(range(N), dtype="Int64")),
    "integer times as a plain index": lambda: frame(pd.RangeIndex(100, 100 + N)),
    "time differences": indexed(times=pd.timedelta_range("0h", periods=N, freq="h")),
    "a TimedeltaIndex": lambda: frame(pd.timedelta_range("0h", periods=N, freq="h")),
    "times after 2262": indexed(times=hours(start="2300-01-01", unit="s")),
    "times before 1677": indexed(times=hours(start="1500-01-01", unit="s")),
    "a plain index after 2262": lambda: frame(hours(start="2300-01-01", unit="s")),
    "periods after 2262": indexed(times=pd.period_range("2300-01-01", periods=N, freq="D")),
    "float times": indexed(times=np.arange(N) / 2),
    "times as strings": indexed(times=hours().astype(str)),
    "times as objects": indexed(times=pd.Index(list(hours()), dtype=object)),
    "times as pyarrow": indexed(times=hours().astype("timestamp[ns][pyarrow]")),
    "strings as a plain index": lambda: frame(hours().astype(str)),
    "a missing time": leveled(
        lambda index: pd.MultiIndex.from_arrays(
            [index.get_level_values(0), index.get_level_values(1).where(index.get_level_values(1) != hours()[3])],
            names=index.names,
        )
    ),
    "a missing time in a plain index": lambda: frame(hours().where(np.arange(N) != 3)),
    "time before series": leveled(lambda index: index.swaplevel()),
    "an index of one level in a MultiIndex": leveled(lambda index: pd.MultiIndex.from_arrays([hours(2 * N)])),
    "unnamed levels": leveled(lambda index: index.set_names([None, None])),
    "levels of one name": leveled(lambda index: index.set_names(["time", "time"])),
    "a level with the name of a column": leveled(lambda index: index.set_names(["x0", "x1"])),
    # ---- runs
    "runs of two rows each": leveled(with_runs),
    "runs longer than the horizon": leveled(lambda index: with_runs(index, "40h")),
    "a run after its own times": leveled(lambda index: with_runs(index, ahead="3h")),
    "runs as integers beside dates": leveled(lambda index: with_runs(index, numbers=True)),
    # ---- series
    "categorical names, some unused": leveled(categorical),
    "integer names": indexed(series=[7, 3]),
    "float names": indexed(series=[0.5, np.inf]),
    "names of mixed types": leveled(object_level(["a", 1])),
    "names that are tuples": leveled(object_level([("FR", 1), ("FR", 2)])),
    "a name that is None": leveled(object_level(["a", None])),
    "names that are dates": indexed(series=hours(2)),
    "an empty name": indexed(series=["", " "]),
    "two levels that name the series": leveled(
        lambda index: pd.MultiIndex.from_arrays([["FR"] * 2 * N, *map(index.get_level_values, (0, 1))])
    ),
    "a series that shares no time with the other": lambda: tuple(
        pd.concat([one, two]) for one, two in zip(panel("a"), panel("b", hours(start="2024-03-01")), strict=True)
    ),
    "levels that hold names nobody has": change(lambda X: X.loc[["a"]], lambda y: y.loc[["a"]]),
    # ---- target
    "y as a list": target(list),
    "y as an array": target(np.asarray),
    "y as a DataFrame": target(pd.Series.to_frame),
    "y of two columns": target(lambda y: pd.DataFrame({"up": y, "down": -y})),
    "y of two columns of one name": target(lambda y: pd.concat([y, -y], axis=1)),
    "y as a read-only array": target(read_only),
    "y of integers": target(lambda y: (10 * y).astype(int)),
    "y of bool": target(lambda y: y > 2),
    "y of nullable Float64 with NA": target(lambda y: y.astype("Float64").mask(y > 2.9)),
    "y of pyarrow double with null": target(lambda y: y.mask(y > 2.9).astype("double[pyarrow]")),
    "y of numbers as strings": target(lambda y: y.round(2).astype(str)),
    "y of words": target(lambda y: np.full(len(y), "low")),
    "y with another index order": target(lambda y: y.iloc[::-1]),
    "y too short": target(lambda y: y.iloc[:-1]),
    "y too long": target(lambda y: pd.concat([y, y.iloc[:1]])),
    "y all NaN": target(lambda y: y * np.nan),
    "y NaN but for one series": target(lambda y: y.where(y.index.get_level_values(0) == "a")),
    "y with inf": target(lambda y: y.where(np.arange(len(y)) != 10, np.inf)),
    "y of 1e30": target(lambda y: y * 1e30),
    "y of 1e300": target(lambda y: y * 1e300),
    "y of three dimensions": target(lambda y: np.zeros((len(y), 1, 1))),
    "y None": target(lambda y: None),
    "y one number": target(lambda y: 1.0),
    "X of several series, y without them": target(lambda y: y.reset_index(drop=True)),
    "X an array, y of several series": change(np.asarray),
    # ---- weights
    "weights of 0 here and there": weighted(lambda n: np.arange(n) % 3.0),
    "weights all 0": weighted(np.zeros),
    "negative weights": weighted(lambda n: np.where(np.arange(n) % 24 % 11 == 10, -1.0, 1.0)),
    "weights of NaN": weighted(lambda n: np.where(np.arange(n) % 24 % 11 == 10, np.nan, 1.0)),
    "weights too short": weighted(lambda n: np.ones(n - 1)),
}
