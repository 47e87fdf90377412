"""A hostile case works, or is refused with a message that says where and what to do, and nobody changes its tables."""

import copy
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import LinAlgWarning

from skts.exceptions import (
    FutureTrainingWarning,
    MissingHistoryWarning,
    ShortSeriesWarning,
    UnscaledColumnsWarning,
    UnseenSeriesWarning,
)

ANNOUNCED = [
    FutureTrainingWarning,
    MissingHistoryWarning,
    ShortSeriesWarning,
    UnscaledColumnsWarning,
    UnseenSeriesWarning,
]


def check(call, says):
    """Call without a warning but ours; or, where it says something, see that it does."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="pandas.DataFrame with sparse columns")
        warnings.filterwarnings("ignore", message="backtest left out")
        warnings.filterwarnings("ignore", category=LinAlgWarning)  # of Ridge, where columns are extreme
        for category in ANNOUNCED:
            warnings.simplefilter("ignore", category)
        if says is None:
            call()
            return
        warnings.simplefilter("ignore", RuntimeWarning)  # of numpy, before the refusal
        with pytest.raises((ValueError, TypeError, ArithmeticError), match=pattern(says)):
            call()


def pattern(says):
    """Make a regular expression of a message in which `...` stands for anything."""
    return "(?s)" + ".*".join(map(re.escape, says.split("...")))


class Untouched:
    """Sees that nobody has changed tables in place."""

    def __init__(self, *tables):
        self._tables, self._copies = tables, copy.deepcopy(tables)

    def check(self):
        for table, before in zip(self._tables, self._copies, strict=True):
            if isinstance(table, pd.DataFrame):
                pd.testing.assert_frame_equal(table, before)
            elif isinstance(table, pd.Series):
                pd.testing.assert_series_equal(table, before)
            else:
                np.testing.assert_array_equal(table, before)
