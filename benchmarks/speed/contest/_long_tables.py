"""The tables as neuralforecast takes them, and darts with them: columns unique_id, ds, y and what is known ahead."""

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from contest._tasks import epf, gefcom2014
from skts.features import CalendarFeatures


def wind_rows(task):
    """Give the rows of both parts, the columns known ahead, scaled, and one column per farm that names it."""
    features = make_pipeline(*(step for _, step in gefcom2014.make_features("lstm"))).set_output(transform="pandas")
    table = pd.concat([task.train, task.valid]).sort_index()
    X = features.fit_transform(table.drop(columns="power"))
    X_train = X.loc[task.train.index]
    X = ((X - X_train.mean()) / X_train.std()).astype(np.float32)
    rows = X.assign(y=table["power"].astype(np.float32)).reset_index()
    rows = rows.rename(columns={"farm": "unique_id", "timestamp": "ds"})
    farms = rows["unique_id"].unique()
    static = pd.DataFrame(np.eye(len(farms)), columns=[f"is_{farm}" for farm in farms]).assign(unique_id=farms)
    return rows, list(X.columns), static


def price_rows(task):
    """Give the rows of both parts, the columns known ahead, and None: there is one series."""
    calendar = CalendarFeatures(["hour", "weekday", "year"]).set_output(transform="pandas")
    rows = calendar.fit_transform(pd.concat([task.train, task.valid])).astype(np.float32).assign(unique_id="NP")
    rows = rows.rename(columns={"price": "y"}).rename_axis("ds").reset_index()
    return rows, [*epf.CALENDAR, "exog1", "exog2"], None
