"""LightGBM: one boosting for each level, or each hour ahead, all grown in step."""

from typing import Any

import lightgbm
import numpy as np

from benchmarks.adapters._contract import Adapter

N_MARKS = 20


class LightGBM(Adapter):
    """Settings are its parameters, with `num_boost_round`; the task is one of `Boostings`."""

    def fit(self) -> None:
        """Grow the boosters one after the other; a mark counts what all of them took up to its round."""
        params = self.settings | {"seed": self.seed, "num_threads": 1, "verbose": -1}
        n_rounds = params.pop("num_boost_round")
        binning = {key: params[key] for key in ("max_bin", "min_data_in_leaf")} | {"verbose": -1, "num_threads": 1}
        data = {}  # cut into bins once for boostings on the same rows
        for job in self.task.jobs:
            if id(job["rows"]) not in data:
                made = lightgbm.Dataset(
                    job["rows"], job["targets"], params=binning, free_raw_data=False, **self.task.options
                )
                data[id(job["rows"])] = made.construct()
        prepared, spent, self.boosters = self.watch.seconds, np.zeros(n_rounds), []
        for job in self.task.jobs:
            began, ended = self.watch.seconds, []
            booster = lightgbm.train(
                params | job["params"],
                data[id(job["rows"])],
                n_rounds,
                callbacks=[lambda env, ended=ended: ended.append(self.watch.seconds)],
            )
            spent += np.array(ended) - began
            self.boosters.append(booster)
        kept = np.unique(np.geomspace(min(4, n_rounds), n_rounds, N_MARKS).round().astype(int))
        self.watch.marks = [(prepared + spent[each - 1], each) for each in kept.tolist()]

    def forecast(self, learned: Any = None) -> np.ndarray:
        pairs = zip(self.boosters, self.task.jobs, strict=True)
        forecasts = [booster.predict(job["rows_test"], num_iteration=learned) for booster, job in pairs]
        columns = np.stack(forecasts, axis=-1).reshape(self.task.shape)
        return np.sort(columns, axis=-1) if self.task.are_levels else columns
