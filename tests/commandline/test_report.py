import numpy as np
import pandas as pd

from skts.commandline._report import choose_drawn, scores


def test_the_best_three_and_the_best_naive_one_are_drawn():
    y = pd.Series(np.zeros(4))
    errors = {"persistence": 5.0, "Ridge": 2.0, "LSTM": 1.0, "yesterday": 4.0, "boosting": 3.0, "last week": 6.0}
    table = scores(y, pd.DataFrame({name: np.full(4, error) for name, error in errors.items()}))
    assert choose_drawn(table) == ["LSTM", "Ridge", "boosting", "yesterday"]
    assert choose_drawn(table.loc[["LSTM", "yesterday", "persistence"]]) == ["LSTM", "yesterday", "persistence"]
    assert choose_drawn(table.loc[["LSTM", "Ridge"]]) == ["LSTM", "Ridge"]
