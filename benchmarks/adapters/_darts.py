"""darts: one model for all series."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from darts import TimeSeries, models
from darts.utils.likelihood_models import QuantileRegression

from benchmarks.adapters._contract import ADAMW, CLIP, LEARNING_RATE, Adapter, Plan
from benchmarks.adapters._lightning import one_cycle, trainer_options


class Darts(Adapter):
    """Settings are those of its models, and `model`, the name of one.

    Besides: `max_steps` ends the training, `learning_rate` moves on one cycle, and `trainer` goes to Lightning.
    """

    looks_after = "step"

    @staticmethod
    def plain_lstm(plan: Plan) -> dict[str, Any]:
        return {
            "model": "BlockRNNModel",
            "cell": "LSTM",
            "hidden_dim": plan.hidden,
            "n_rnn_layers": 1,
            "batch_size": plan.batch,
            "n_epochs": plan.epochs,
            "optimizer_cls": torch.optim.AdamW,
            "optimizer_kwargs": {"lr": LEARNING_RATE, **ADAMW},
            "trainer": {"gradient_clip_val": CLIP, "limit_train_batches": plan.steps},
        }

    def fit(self) -> None:
        task, settings = self.task, dict(self.settings)
        kind, trainer = getattr(models, settings.pop("model")), settings.pop("trainer", {})
        if "cell" in settings:
            settings["model"] = settings.pop("cell")
        if "max_steps" in settings:
            n_steps, rate = settings.pop("max_steps"), settings.pop("learning_rate")
            scheduler, arguments = one_cycle(rate, n_steps)
            settings |= {"optimizer_kwargs": {"lr": rate}, "lr_scheduler_cls": scheduler}
            settings |= {"n_epochs": n_steps, "lr_scheduler_kwargs": {**arguments, "interval": "step"}}
            trainer = {**trainer, "max_steps": n_steps}
        self.model = kind(
            **settings,
            **self._loss(),
            input_chunk_length=task.window,
            output_chunk_length=task.horizon,
            random_state=self.seed,
            pl_trainer_kwargs={**trainer_options(self.watch, self.device), **trainer},
        )
        series, covariates = self._series(task.train)
        self.model.fit(series, **covariates, stride=task.stride, verbose=False)
        self.model.trainer_params["callbacks"] = []  # a forecast is not watched

    def _loss(self) -> dict[str, Any]:
        if isinstance(self.task.loss, tuple):
            return {"likelihood": QuantileRegression(list(self.task.loss))}
        return {"loss_fn": {"mse": torch.nn.MSELoss, "mae": torch.nn.L1Loss}[self.task.loss]()}

    def _series(self, table: pd.DataFrame) -> tuple[list, dict[str, list]]:
        """Give the targets, with static columns, and what is read beside them."""
        task, targets, observed, known = self.task, [], [], []
        for number, (_, own) in enumerate(table.groupby(level=0, sort=True)):
            own = own.droplevel(0)
            static = None if task.static is None else task.static.iloc[[number]].astype(np.float32)
            targets.append(TimeSeries.from_dataframe(own[[task.target]], freq="h", static_covariates=static))
            if task.observed:
                observed.append(TimeSeries.from_dataframe(own[task.observed], freq="h"))
            if task.known:
                known.append(TimeSeries.from_dataframe(own[list(task.known)], freq="h"))
        beside = {"past_covariates": observed, "future_covariates": known}
        return targets, {name: each for name, each in beside.items() if each}

    def forecast(self, learned: Any = None) -> np.ndarray:
        task = self.task
        if learned is not None:
            self.model.model.load_state_dict(learned)
        series, covariates = self._series(task.recent(task.window))
        forecasts = self.model.historical_forecasts(
            series,
            **covariates,
            forecast_horizon=task.horizon,
            stride=task.step,
            retrain=False,
            last_points_only=False,
            predict_likelihood_parameters=isinstance(task.loss, tuple),
            predict_kwargs={"batch_size": 1024},
            verbose=False,
        )
        values = np.stack([one.values() for of_series in forecasts for one in of_series])  # (n_origins, H, n_levels)
        return values[..., 0] if isinstance(task.loss, str) else np.sort(values, axis=2)
