"""Who races, with which settings."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Racer:
    """A library, its settings for each race, and whether it runs after `skts.training.tune_allocator`."""

    name: str
    library: str
    settings: dict[str, dict[str, Any]] = field(repr=False)
    tuned: bool = False


SAME = {"max_epochs": 12, "lr_schedule": "one_cycle", "dropout": 0.1, "weight_decay": 0.05}
WIND_AHEAD = {"scaled": True, "input_dropout": 0.1, "bidirectional": True, "lookahead": 12, "series_embedding": 16}
WIND_SIZES = {"hidden_size": 48, "origins_per_pass": 1, "subsample": 1 / 48, "lr": 7e-3, "batch_size": 64}
PRICES = {"tamed": True, "linear_skip": True, "instance_norm": "median", "batch_size": 128}
PRICES_SIZES = {"hidden_size": 64, "patch_len": 24, "subsample": 1 / 8, "lr": 1e-2}
SKTS = {"wind": {**SAME, **WIND_AHEAD, **WIND_SIZES}, "prices": {**SAME, **PRICES, **PRICES_SIZES}}
SKTS_LOWER = {"prices": SKTS["prices"] | {"max_epochs": 24, "lr": 3e-3}}
MLP_SIZES = {"hidden_sizes": [256, 128], "subsample": 1 / 4, "lr": 4e-3}
MLP_SIZES |= {"columns": [0, 1, 2]}  # of the window: exogenous columns and price, no calendar
SKTS_MLP = {"prices": {**SAME, **PRICES, **MLP_SIZES}}
GROWTH = {"num_boost_round": 200, "learning_rate": 0.1, "num_leaves": 63, "max_bin": 63}
SAMPLED = {"bagging_fraction": 0.5, "bagging_freq": 1}
LIGHTGBM = {
    "wind": {**GROWTH, **SAMPLED, "min_data_in_leaf": 200, "feature_fraction": 0.3},
    "prices": {**GROWTH, **SAMPLED, "min_data_in_leaf": 50, "feature_fraction": 0.5},
}
LSTM = {"model": "LSTM", "one_cycle": True, "step_size": 5, "encoder_hidden_size": 64, "encoder_n_layers": 1}
LSTM |= {"learning_rate": 1e-2}
NIXTLA_LSTM = {
    "wind": {**LSTM, "max_steps": 1000, "batch_size": 1, "windows_batch_size": 128, "scaler_type": "identity"},
    "prices": {**LSTM, "max_steps": 600, "windows_batch_size": 64},
}
NHITS = {"model": "NHITS", "one_cycle": True, "step_size": 5, "max_steps": 300, "learning_rate": 3e-3}
NIXTLA_NHITS = {
    "wind": {**NHITS, "windows_batch_size": 256, "batch_size": 1},
    "prices": {**NHITS, "windows_batch_size": 256, "scaler_type": "robust"},
}
DARTS = {
    "wind": {"model": "TiDEModel", "max_steps": 1000, "learning_rate": 3e-3, "batch_size": 128},
    "prices": {
        "model": "TiDEModel",
        "max_steps": 800,
        "learning_rate": 3e-3,
        "batch_size": 128,
        "use_reversible_instance_norm": True,
    },
}
RACERS = {
    each.name: each
    for each in (
        Racer("skts", "skts", SKTS, tuned=True),
        Racer("skts, allocator as it comes", "skts", SKTS),
        Racer("skts, lower rate, longer fit", "skts", SKTS_LOWER, tuned=True),
        Racer("skts, MLP", "skts", SKTS_MLP, tuned=True),
        Racer("LightGBM", "LightGBM", LIGHTGBM),
        Racer("neuralforecast LSTM", "neuralforecast", NIXTLA_LSTM),
        Racer("neuralforecast NHITS", "neuralforecast", NIXTLA_NHITS),
        Racer("darts TiDE", "darts", DARTS),
    )
}
