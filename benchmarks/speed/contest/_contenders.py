"""Who races, and with which settings; nothing is imported but what the asked contender needs."""

import importlib
import importlib.util
from dataclasses import dataclass, field
from typing import Any

SKTS = {
    "wind": {
        "hidden_size": 48,
        "dropout": 0.1,
        "input_dropout": 0.1,
        "bidirectional": True,
        "context": 12,
        "series_embedding": 16,
        "origins_per_window": 1,
        "max_epochs": 12,
        "subsample": 1 / 48,
        "lr": 7e-3,
        "lr_schedule": "one_cycle",
        "batch_size": 64,
        "weight_decay": 0.05,
    },
    "prices": {
        "hidden_size": 64,
        "dropout": 0.1,
        "patch_len": 24,
        "linear_skip": True,
        "instance_norm": "median",
        "max_epochs": 12,
        "subsample": 1 / 8,
        "lr": 1e-2,
        "lr_schedule": "one_cycle",
        "batch_size": 128,
        "weight_decay": 0.05,
    },
}
SKTS_LOWER = {"prices": {**SKTS["prices"], "max_epochs": 24, "lr": 3e-3}}
LIGHTGBM = {
    "wind": {
        "num_boost_round": 200,
        "learning_rate": 0.1,
        "num_leaves": 63,
        "min_data_in_leaf": 200,
        "feature_fraction": 0.3,
        "bagging_fraction": 0.5,
        "bagging_freq": 1,
        "max_bin": 63,
    },
    "prices": {
        "num_boost_round": 200,
        "learning_rate": 0.1,
        "num_leaves": 63,
        "min_data_in_leaf": 50,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.5,
        "bagging_freq": 1,
        "max_bin": 63,
    },
}
NIXTLA_LSTM = {
    "wind": {
        "model": "LSTM",
        "max_steps": 1000,
        "learning_rate": 1e-2,
        "batch_size": 1,
        "windows_batch_size": 128,
        "step_size": 5,
        "scaler_type": "identity",
        "encoder_hidden_size": 64,
        "encoder_n_layers": 1,
    },
    "prices": {
        "model": "LSTM",
        "max_steps": 600,
        "learning_rate": 1e-2,
        "windows_batch_size": 64,
        "step_size": 5,
        "encoder_hidden_size": 64,
        "encoder_n_layers": 1,
    },
}
NIXTLA_NHITS = {
    "wind": {
        "model": "NHITS",
        "max_steps": 300,
        "learning_rate": 3e-3,
        "batch_size": 1,
        "windows_batch_size": 256,
        "step_size": 5,
    },
    "prices": {
        "model": "NHITS",
        "max_steps": 300,
        "learning_rate": 3e-3,
        "windows_batch_size": 256,
        "step_size": 5,
        "scaler_type": "robust",
    },
}
DARTS = {
    "wind": {"max_steps": 1000, "learning_rate": 3e-3, "batch_size": 128},
    "prices": {"max_steps": 800, "learning_rate": 3e-3, "batch_size": 128},
}


@dataclass(frozen=True)
class Contender:
    """A library, its settings for each race, and whether it runs behind `skts.tune_allocator`."""

    name: str
    file: str
    packages: tuple[str, ...]
    settings: dict[str, dict[str, Any]] = field(repr=False)
    tuned: bool = False

    def fit(self, task, kind, seed, settings=None):
        """Fit, and give the clock and what forecasts from one of its marks."""
        return importlib.import_module(f"contest.{self.file}").FIT[kind](
            task, seed, {**self.settings[kind], **(settings or {})}
        )

    def warm_up(self, task, kind):
        """Fit for a moment, so that no late import is counted."""
        steps = {"max_epochs", "max_steps", "num_boost_round"} & set(self.settings[kind])
        return self.fit(task, kind, 0, dict.fromkeys(steps, 2))

    def missing(self):
        """Name the packages that are not installed."""
        return [each for each in self.packages if importlib.util.find_spec(each) is None]


CONTENDERS = {
    each.name: each
    for each in (
        Contender("skts", "_skts", (), SKTS, tuned=True),
        Contender("skts, allocator as it comes", "_skts", (), SKTS),
        Contender("skts, lower rate, longer fit", "_skts", (), SKTS_LOWER, tuned=True),
        Contender("LightGBM", "_lightgbm", ("lightgbm",), LIGHTGBM),
        Contender("neuralforecast LSTM", "_neuralforecast", ("neuralforecast",), NIXTLA_LSTM),
        Contender("neuralforecast NHITS", "_neuralforecast", ("neuralforecast",), NIXTLA_NHITS),
        Contender("darts TiDE", "_darts", ("darts", "pytorch_lightning"), DARTS),
    )
}
