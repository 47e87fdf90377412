"""neuralforecast: one model for all series. It reads the whole panel at each step, whatever is drawn."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from neuralforecast import NeuralForecast, models
from neuralforecast.losses import pytorch as losses

from benchmarks.adapters._contract import ADAMW, CLIP, LEARNING_RATE, Adapter, Plan
from benchmarks.adapters._lightning import one_cycle, trainer_options


class Neuralforecast(Adapter):
    """Settings are those of its models, and `model`, the name of one; `one_cycle` moves the learning rate."""

    looks_after = "step"

    @staticmethod
    def plain_lstm(plan: Plan) -> dict[str, Any]:
        return {
            "model": "LSTM",
            "encoder_n_layers": 1,
            "encoder_hidden_size": plan.hidden,
            "decoder_layers": 1,
            "recurrent": False,
            "max_steps": plan.steps,
            "learning_rate": LEARNING_RATE,
            "batch_size": 1,
            "windows_batch_size": plan.batch,
            "scaler_type": "identity",
            "optimizer": torch.optim.AdamW,
            "optimizer_kwargs": ADAMW,
            "gradient_clip_val": CLIP,
        }

    def fit(self) -> None:
        task, settings = self.task, dict(self.settings)
        network = getattr(models, settings.pop("model"))
        if settings.pop("one_cycle", False):
            scheduler, arguments = one_cycle(settings["learning_rate"], settings["max_steps"])
            settings |= {"lr_scheduler": scheduler, "lr_scheduler_kwargs": arguments}
        if task.static is not None:
            settings["stat_exog_list"] = list(task.static)
        model = network(
            **settings,
            h=task.horizon,
            input_size=task.window,
            hist_exog_list=task.observed or None,
            futr_exog_list=list(task.known) or None,
            loss=self._loss(),
            random_seed=self.seed,
            **trainer_options(self.watch, self.device),
        )
        self.forecaster = NeuralForecast(models=[model], freq="h")
        self.forecaster.fit(self._long(task.train), static_df=self._static())
        self.forecaster.models[0].trainer_kwargs["callbacks"] = []

    def _loss(self) -> Any:
        if isinstance(self.task.loss, tuple):
            return losses.MQLoss(quantiles=list(self.task.loss))
        return {"mse": losses.MSE, "mae": losses.MAE}[self.task.loss]()

    def _long(self, table: pd.DataFrame) -> pd.DataFrame:
        """Lay the panel out as the library wants it."""
        return table.rename(columns={self.task.target: "y"}).rename_axis(["unique_id", "ds"]).reset_index()

    def _static(self) -> pd.DataFrame | None:
        return None if self.task.static is None else self.task.static.rename_axis("unique_id").reset_index()

    def forecast(self, learned: Any = None) -> np.ndarray:
        task, fitted = self.task, self.forecaster.models[0]
        if learned is not None:
            fitted.load_state_dict(learned)
        n_rows = len(task.test) // task.n_series - task.first
        forecasts = self.forecaster.cross_validation(
            self._long(task.recent(task.window)),
            self._static(),
            n_windows=None,
            step_size=task.step,
            test_size=n_rows,
            use_fitted=True,
        )
        forecasts = forecasts.sort_values(["unique_id", "cutoff", "ds"])
        values = forecasts.drop(columns=["unique_id", "cutoff", "ds", "y"]).to_numpy()
        values = values.reshape(-1, task.horizon, values.shape[1])  # (n_origins, H, n_levels)
        return values[..., 0] if isinstance(task.loss, str) else np.sort(values, axis=2)
