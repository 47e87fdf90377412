"""What is refused, case by case, and by whom. All else works."""

# The messages; `...` stands for what they leave open.
SAYS = {
    "no step": (
        "The time between rows is unknown: no series has two rows, neither here nor "
        "in training. Fit HistoryPrepender on a longer table"
    ),
    "too short": (
        "SlidingWindower(window=4, horizon=2) needs 6 consecutive rows for one "
        "training window, and series ... has ...: fit on longer series"
    ),
    "no neighbours": "the training table has one series, and none has neighbours",
    "too few times": "Cannot have number of folds=3 greater than the number of samples=",
    "too few times to fold": "Cannot have number of splits n_splits=3 greater than the number of samples",
    "one series": "LeaveSeriesOut: X has one series, and at least two are expected",
    "no pairs": "y_train: series ... has no two values 1 rows apart",
    "nothing there": "while a minimum of 1 is required",
    "no rows": "X has no rows. Give a table with at least one",
    "no series": "LeaveSeriesOut: X has no series, and at least two are expected",
    "no target": "y_true has no target in any of its ... rows",
    "nothing to score": "y is missing (NaN) in every row: there is nothing to score",
    "no columns": "the table has no columns. Give one with at least one",
    "no times to purge": "PurgedPanelKFold trains on both sides of the test block, and without times",
    "no change": "y_train: series ... repeats itself every 1 rows",
    "no own past": "no column of X is target 0 itself, in whatever units",
    "inf in a cell": "Row 10, column 'x0': ...inf",
    "infinite loss": ("The train loss became ... in epoch 1. Try a lower lr ..., scale the columns of X"),
    "1e300 in a cell": "Row 10, column 'x0': ...1e+300",
    "a string in a cell": "Row 10, column 'x0': 'n/a'",
    "a word in a cell": "Row 0, column 'x0': 'east'",
    "a date in a cell": "Row 0, column 'x0': Timestamp",
    "a category in a cell": "Row 0, column 'x0': 'o",
    "complex": "Complex data not supported",
    "forecasts in a column of bool": (
        "RecursiveRegressor fills the target's past with forecasts, which are "
        "numbers, and column ... is of dtype boolean"
    ),
    "no times": "reads times from the index, and this table has none: give a DataFrame with",
    "one dimension": "Expected 2D array, got 1D array instead:...Reshape your data",
    "names twice": "Expected unique column names, got:... 2 times",
    "names of many types": "Feature names are only supported if all input features have string names",
    "out of order": (
        "Row ...: the time of series 'a' decreases from ... to ... Times must "
        "increase within a series: call X.sort_index()"
    ),
    "twice": "series 'a' has the time ... twice. One row per series and time is expected",
    "between steps": (
        "Row ...: series 'b' goes from 2024-01-01 05:00:00 to 2024-01-01 06:07:00, "
        "which is no whole number of steps of 0 days 01:00:00"
    ),
    "no series to neighbour": ("NeighbourFeatures needs several series, and the index of this table names none"),
    "uneven steps": (
        "Row ...: series 'a' goes from ... to ..., which is no whole number of steps "
        "of ... Resample the table to a regular step, or give calendar months and "
        "the like, and days on which clocks change, as a PeriodIndex"
    ),
    "no dates": ("needs date-times or periods in the last level of the index, and 'time' holds"),
    "beyond int64": ("and times are counted in int64, to 9223372036854775807: subtract a number from all of them"),
    "beyond nanoseconds": (
        "reaches from ... to ..., and times are counted in nanoseconds, which go from 1677-09-21 to 2262-04-11"
    ),
    "not a time": (
        "must hold times (date-times, periods or integers) and has dtype ...: convert it with pandas.to_datetime"
    ),
    "missing time": ("Row ... has no time: index level ... is missing there. Drop the row or fill in its label"),
    "level of the name time": (
        "The level 'time' of the index of X names a series, and a table of "
        "forecasts has another column of that name: rename the level"
    ),
    "missing series": ("Row ... has no series: index level ... is missing there. Drop the row or fill in its label"),
    "one target": "backtest: y has shape ... and one target, of shape (n_rows,), is expected",
    "one target to draw": "y_true has shape ..., and ... is expected: one value for each row",
    "no history": (
        "memory_profile needs two windows that have a target and a history, and X gives 0 of 24 "
        "(0 with a history of 4 rows): give a longer table"
    ),
    "one target to score": "y_true has shape ..., and shape ... is expected: score one target at a time",
    "outputs differ": "y_true and y_pred have different number of output (2!=1)",
    "words": "could not convert string to float: ...'low'",
    "other rows": (
        "X and y have different rows: row 0 is ('b', ...) in y and ('a', ...) in X. "
        "The same rows in the same order are expected: give y.loc[X.index]"
    ),
    "other length": "y has ... values and the table that entered SlidingWindower had ... rows",
    "lengths differ": "Found input variables with inconsistent numbers of samples",
    "forecasts of another length": (
        "y_pred has shape ... and y_true has ... rows: one forecast for each row of y_true is expected"
    ),
    "forecast of another length": (
        "the forecast has shape ... and y has ... rows: one value for each row of y is expected"
    ),
    "nothing to learn": ("y is missing (NaN) in every row of positive weight: there is nothing to learn from"),
    "infinite y": "Input y contains infinity",
    "infinite y_train": "y_train is infinite in row 10",
    "infinite input": "Input contains infinity",
    "extreme y": "y reaches ...e+300",
    "infinite square": "y_true is ...e+300, whose square is infinite",
    "three dimensions": "y must be (n_rows,) or (n_rows, n_targets) beside Windows, and is",
    "too many dimensions": "Found array with dim 3, while dim <= 2 is required",
    "not one for each row": "y is ...: one value for each row is expected",
    "no y": "requires y to be passed, but the target y is None",
    "no array": "The 'y' parameter of ... must be an array-like. Got",
    "a single value": "y must have one value per row, and is the single value",
    "no sequence": "Expected sequence or array-like, got <class 'float'>",
    "lost series": "X has no series in its index while y carries 2 of them",
    "no weight": "Sample weights must contain at least one non-zero number",
    "no weight to score": "sample_weight is 0 in every row that has a target",
    "negative weight": "Negative values in data passed to `sample_weight`",
    "bad weight": "sample_weight is ... in row ...: a finite number is expected, at least 0",
    "weight of NaN": "Input sample_weight contains NaN",
    "weights of another length": "sample_weight.shape == ..., expected",
    "weights of another shape": "sample_weight has shape ... one",
    "runs too long": "SlidingWindower(horizon=2) makes one window of each run",
    "takes no runs": "takes a table without runs, with one row for each series and time",
    "before its run": "Row ...: run ... has the time ..., before the run itself",
    "runs of another kind": "The level 'run' of the index holds integers, and the times 'time' are date-times",
}

REFUSED = {
    "runs of two rows each": {"takes no runs": "history_curve, feature_importance, PanelDisplay and SplitDisplay"},
    "runs longer than the horizon": {
        "runs too long": (
            "SlidingWindower, the regressors, memory_profile, feature_importance, "
            "ForecastDisplay and ErrorByLeadDisplay"
        ),
        "too few times": "PanelTimeSeriesSplit, backtest, check_leakage, history_curve",
        "too few times to fold": "PurgedPanelKFold",
        "takes no runs": "PanelDisplay and SplitDisplay",
    },
    "a run after its own times": {
        "before its run": "all that cut windows, PanelTimeSeriesSplit, PurgedPanelKFold, metrics",
        "takes no runs": "PanelDisplay and SplitDisplay",
    },
    "runs as integers beside dates": {"runs of another kind": "all that read times"},
    "one row": {
        "no step": "HistoryPrepender",
        "too short": "the regressors, SlidingWindower, what is asked of a fitted one",
        "no neighbours": "NeighbourFeatures",
        "too few times": "PanelTimeSeriesSplit, backtest, check_leakage, history_curve, PanelDisplay and SplitDisplay",
        "too few times to fold": "PurgedPanelKFold",
        "one series": "LeaveSeriesOut",
        "no pairs": "metrics",
    },
    "one row of each of 30 series": {
        "no step": "HistoryPrepender",
        "too short": "the regressors, SlidingWindower, what is asked of a fitted one",
        "too few times": "PanelTimeSeriesSplit, backtest, check_leakage, history_curve, PanelDisplay and SplitDisplay",
        "too few times to fold": "PurgedPanelKFold",
        "no pairs": "metrics",
    },
    "two rows of each series": {
        "too short": "the regressors, SlidingWindower, what is asked of a fitted one",
        "too few times": "PanelTimeSeriesSplit, backtest, check_leakage, history_curve, PanelDisplay and SplitDisplay",
        "too few times to fold": "PurgedPanelKFold",
    },
    "no rows": {
        "nothing there": (
            "the networks, the features, HistoryPrepender, SlidingWindower, "
            "WindowedRegressor, what is asked of a fitted one"
        ),
        "no rows": "PerSeriesRegressor, RecursiveRegressor, PanelDisplay and SplitDisplay",
        "too few times": "PanelTimeSeriesSplit, backtest, check_leakage, history_curve",
        "too few times to fold": "PurgedPanelKFold",
        "no series": "LeaveSeriesOut",
        "no target": "metrics",
        "nothing to score": "ignore_missing",
    },
    "no columns": {
        "nothing there": "all that cut windows but the recursive, the features",
        "no columns": "RecursiveRegressor",
    },
    "an array without rows": {
        "nothing there": (
            "the regressors, the features, HistoryPrepender, SlidingWindower, check_leakage, "
            "what is asked of a fitted one"
        ),
        "too few times": "PanelTimeSeriesSplit, backtest, history_curve",
        "no times to purge": "PurgedPanelKFold",
        "no series": "LeaveSeriesOut",
        "no target": "metrics",
        "nothing to score": "ignore_missing",
        "no rows": "PanelDisplay and SplitDisplay",
    },
    "an array without columns": {
        "nothing there": "all that read values",
        "no times to purge": "PurgedPanelKFold",
        "one series": "LeaveSeriesOut",
    },
    "a series shorter than a window": {
        "too short": "PerSeriesRegressor",
    },
    "everything constant": {
        "no change": "metrics",
    },
    "nothing but NaN": {
        "no own past": "NLinearRegressor",
        "no history": "memory_profile",
    },
    "inf": {
        "inf in a cell": "all that read values",
    },
    "1e30": {
        "infinite loss": "DLinearRegressor, NLinearRegressor, TransformerRegressor",
    },
    "1e300": {
        "1e300 in a cell": "all that forecast, SlidingWindower",
    },
    "a column of 1e30": {
        "infinite loss": "DLinearRegressor, NLinearRegressor, TransformerRegressor",
    },
    "a string in a column of numbers": {
        "a string in a cell": "all that read values",
    },
    "a column of words": {
        "a word in a cell": "all that read values",
    },
    "a column of dates": {
        "a date in a cell": "all that read values",
    },
    "a column of categories": {
        "a category in a cell": "all that forecast, SlidingWindower, WindFeatures, NeighbourFeatures",
    },
    "complex numbers": {
        "complex": "all that read values",
    },
    "nullable boolean with NA": {
        "forecasts in a column of bool": "RecursiveRegressor",
    },
    "an array": {
        "no times": "CalendarFeatures, SolarFeatures, NeighbourFeatures",
        "no times to purge": "PurgedPanelKFold",
        "one series": "LeaveSeriesOut",
    },
    "a list of lists": {
        "no times": "CalendarFeatures, SolarFeatures, NeighbourFeatures",
        "no times to purge": "PurgedPanelKFold",
        "one series": "LeaveSeriesOut",
    },
    "a read-only array": {
        "no times": "CalendarFeatures, SolarFeatures, NeighbourFeatures",
        "no times to purge": "PurgedPanelKFold",
        "one series": "LeaveSeriesOut",
    },
    "a Fortran-ordered array": {
        "no times": "CalendarFeatures, SolarFeatures, NeighbourFeatures",
        "no times to purge": "PurgedPanelKFold",
        "one series": "LeaveSeriesOut",
    },
    "a non-contiguous array": {
        "no times": "CalendarFeatures, SolarFeatures, NeighbourFeatures",
        "no times to purge": "PurgedPanelKFold",
        "one series": "LeaveSeriesOut",
    },
    "a big-endian array": {
        "no times": "CalendarFeatures, SolarFeatures, NeighbourFeatures",
        "no times to purge": "PurgedPanelKFold",
        "one series": "LeaveSeriesOut",
    },
    "an array of objects": {
        "no times": "CalendarFeatures, SolarFeatures, NeighbourFeatures",
        "no times to purge": "PurgedPanelKFold",
        "one series": "LeaveSeriesOut",
    },
    "an array of one dimension": {
        "one dimension": "all that read values",
        "no times to purge": "PurgedPanelKFold",
        "one series": "LeaveSeriesOut",
    },
    "an array of integers": {
        "no times": "CalendarFeatures, SolarFeatures, NeighbourFeatures",
        "no times to purge": "PurgedPanelKFold",
        "one series": "LeaveSeriesOut",
    },
    "a masked array": {
        "no times": "CalendarFeatures, SolarFeatures, NeighbourFeatures",
        "no times to purge": "PurgedPanelKFold",
        "one series": "LeaveSeriesOut",
    },
    "duplicated column names": {
        "names twice": "all that read values",
    },
    "column names of mixed types": {
        "names of many types": "all that read values",
    },
    "column names None": {
        "names of many types": "all that read values",
    },
    "shuffled rows": {
        "out of order": "all that need times in order",
    },
    "a repeated row": {
        "twice": "all that need times in order, NeighbourFeatures",
    },
    "a row moved back": {
        "out of order": "all that need times in order",
    },
    "mixed frequencies": {
        "too short": "PerSeriesRegressor",
        "no pairs": "metrics",
    },
    "a time between the steps": {
        "between steps": "all that need times in order",
    },
    "a plain DatetimeIndex": {
        "no series to neighbour": "NeighbourFeatures",
        "one series": "LeaveSeriesOut",
    },
    "monthly stamps": {
        "uneven steps": "all that need times in order",
    },
    "a PeriodIndex": {
        "no series to neighbour": "NeighbourFeatures",
        "one series": "LeaveSeriesOut",
    },
    "days over the spring clock change": {
        "uneven steps": "all that need times in order",
    },
    "days over the autumn clock change": {
        "uneven steps": "all that need times in order",
    },
    "wall-clock hours, one of them twice": {
        "twice": "all that need times in order, NeighbourFeatures",
    },
    "integer times": {
        "no dates": "CalendarFeatures, SolarFeatures",
    },
    "integer times near the largest": {
        "no dates": "CalendarFeatures, SolarFeatures",
    },
    "uint64 times": {
        "no dates": "CalendarFeatures, SolarFeatures",
    },
    "uint64 times near the largest": {
        "beyond int64": "all that read times",
    },
    "nullable integer times": {
        "no dates": "CalendarFeatures, SolarFeatures",
    },
    "integer times as a plain index": {
        "no times": "CalendarFeatures, SolarFeatures, NeighbourFeatures",
        "no times to purge": "PurgedPanelKFold",
        "one series": "LeaveSeriesOut",
    },
    "time differences": {
        "no dates": "CalendarFeatures, SolarFeatures",
    },
    "a TimedeltaIndex": {
        "no times": "CalendarFeatures, SolarFeatures, NeighbourFeatures",
        "no times to purge": "PurgedPanelKFold",
        "one series": "LeaveSeriesOut",
    },
    "times after 2262": {
        "beyond nanoseconds": "all that read times",
    },
    "times before 1677": {
        "beyond nanoseconds": "all that read times",
    },
    "a plain index after 2262": {
        "beyond nanoseconds": "all that read times",
    },
    "float times": {
        "not a time": "all that read times",
    },
    "times as strings": {
        "not a time": "all that read times",
    },
    "times as objects": {
        "not a time": "all that read times",
    },
    "times as pyarrow": {
        "not a time": "all that read times",
    },
    "strings as a plain index": {
        "no times": "CalendarFeatures, SolarFeatures, NeighbourFeatures",
        "no times to purge": "PurgedPanelKFold",
        "one series": "LeaveSeriesOut",
    },
    "a missing time": {
        "missing time": "all that read times",
    },
    "a missing time in a plain index": {
        "missing time": "all that read times",
    },
    "time before series": {
        "not a time": "all that read dated rows",
        "level of the name time": "backtest",
    },
    "an index of one level in a MultiIndex": {
        "no series to neighbour": "NeighbourFeatures",
        "one series": "LeaveSeriesOut",
    },
    "levels of one name": {
        "level of the name time": "backtest, ForecastDisplay and ErrorByLeadDisplay",
    },
    "a name that is None": {
        "missing series": "all that read times",
    },
    "levels that hold names nobody has": {
        "no neighbours": "NeighbourFeatures",
        "one series": "LeaveSeriesOut",
    },
    "y of two columns": {
        "one target": "backtest",
        "one target to score": "metrics",
        "outputs differ": "ignore_missing",
        "one target to draw": "ForecastDisplay and ErrorByLeadDisplay",
    },
    "y of two columns of one name": {
        "names twice": "the regressors, check_leakage, ignore_missing, history_curve, what is asked of a fitted one",
        "one target": "backtest",
        "one target to score": "metrics",
    },
    "y of integers": {
        "no own past": "NLinearRegressor",
    },
    "y of bool": {
        "no own past": "NLinearRegressor",
    },
    "y of numbers as strings": {
        "no own past": "NLinearRegressor",
    },
    "y of words": {
        "words": "all that forecast, metrics, ignore_missing, PanelDisplay and SplitDisplay",
    },
    "y with another index order": {
        "other rows": "all that cut windows, the splitters, PanelDisplay and SplitDisplay",
        "out of order": "metrics",
    },
    "y too short": {
        "other length": "the networks, SlidingWindower, WindowedRegressor, what is asked of a fitted one",
        "lengths differ": (
            "PerSeriesRegressor, RecursiveRegressor, backtest, check_leakage, history_curve, "
            "PanelDisplay and SplitDisplay"
        ),
        "forecasts of another length": "metrics",
        "forecast of another length": "ignore_missing",
    },
    "y too long": {
        "other length": "the networks, SlidingWindower, WindowedRegressor, what is asked of a fitted one",
        "lengths differ": (
            "PerSeriesRegressor, RecursiveRegressor, backtest, check_leakage, history_curve, "
            "PanelDisplay and SplitDisplay"
        ),
        "forecasts of another length": "metrics",
        "forecast of another length": "ignore_missing",
    },
    "y all NaN": {
        "nothing to learn": "all that forecast",
        "no target": "metrics",
        "nothing to score": "ignore_missing",
    },
    "y NaN but for one series": {
        "nothing to learn": "PerSeriesRegressor",
    },
    "y with inf": {
        "infinite y": "all that forecast",
        "infinite y_train": "metrics",
        "infinite input": "ignore_missing",
    },
    "y of 1e300": {
        "extreme y": "the networks, backtest, check_leakage, history_curve, feature_importance",
        "infinite square": "metrics",
    },
    "y of three dimensions": {
        "three dimensions": "the regressors, history_curve, what is asked of a fitted one",
        "one target": "backtest",
        "too many dimensions": "check_leakage, ignore_missing",
        "one target to score": "metrics",
    },
    "y None": {
        "not one for each row": "SlidingWindower, metrics, ignore_missing",
        "no y": "the regressors, what is asked of a fitted one",
        "no array": "backtest, check_leakage, history_curve",
    },
    "y one number": {
        "not one for each row": "SlidingWindower, metrics, ignore_missing",
        "a single value": "the networks, WindowedRegressor, what is asked of a fitted one",
        "no sequence": "PerSeriesRegressor, RecursiveRegressor, PanelDisplay and SplitDisplay",
        "no array": "backtest, check_leakage, history_curve",
    },
    "X an array, y of several series": {
        "lost series": "all that cut windows, the splitters, PanelDisplay and SplitDisplay",
        "no times": "CalendarFeatures, SolarFeatures, NeighbourFeatures",
    },
    "weights all 0": {
        "no weight": "the regressors, ignore_missing",
        "no weight to score": "metrics",
    },
    "negative weights": {
        "negative weight": "the regressors",
        "bad weight": "metrics",
    },
    "weights of NaN": {
        "weight of NaN": "the regressors, ignore_missing",
        "bad weight": "metrics",
    },
    "weights too short": {
        "weights of another length": "the regressors",
        "weights of another shape": "metrics, ignore_missing",
    },
}

# Bugs outside of the rooms that these tests were written with: what stands above, or works, is not yet so.
LEFT: dict[str, str] = {}
