"""skorch as it comes, on the array of all windows."""

from typing import Any

import numpy as np
import torch
from skorch import NeuralNetRegressor
from skorch.callbacks import Callback, GradientNormClipping

from benchmarks.adapters._contract import ADAMW, CLIP, LEARNING_RATE, Adapter, Plan
from benchmarks.adapters._handwritten import PlainLSTM
from benchmarks.adapters._watch import Watch, stopping_after


class SkorchWatch(Callback):
    """Let a fit of skorch be watched."""

    def __init__(self, watch: Watch):
        self.watch = watch

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.watch.begin()

    def on_epoch_end(self, net, **kwargs):
        self.watch.look(net.module_)

    def on_train_end(self, net, X=None, y=None, **kwargs):
        self.watch.end(net.module_)


class Skorch(Adapter):
    """Settings are those of `NeuralNetRegressor`, and `stop_after` so many steps."""

    @staticmethod
    def plain_lstm(plan: Plan) -> dict[str, Any]:
        return {
            "module__hidden_size": plan.hidden,
            "batch_size": plan.batch,
            "max_epochs": plan.epochs,
            "lr": LEARNING_RATE,
            "optimizer": torch.optim.AdamW,
            **{f"optimizer__{name}": value for name, value in ADAMW.items()},
        }

    def fit(self) -> None:
        task, settings = self.task, dict(self.settings)
        values, target = task.arrays()
        self.n_taught = len(task.origins)
        inputs = np.stack([values[origin - task.window : origin] for origin in task.origins])
        targets = np.stack([target[origin : origin + task.horizon] for origin in task.origins])
        stop_after = settings.pop("stop_after", None)
        torch.manual_seed(self.seed)
        net = NeuralNetRegressor(
            PlainLSTM,
            module__n_features=values.shape[1],
            module__horizon=task.horizon,
            iterator_train__shuffle=True,
            train_split=None,
            callbacks=[GradientNormClipping(CLIP), SkorchWatch(self.watch)],
            device=self.device,
            verbose=0,
            **settings,
        )
        with stopping_after(stop_after):
            self.net = net.fit(inputs, targets)

    def forecast(self, learned: Any = None) -> np.ndarray:
        task = self.task
        recent = task.recent(task.window).to_numpy(np.float32)
        series = np.split(recent, task.n_series)
        starts = range(0, len(series[0]) - task.window - task.horizon + 1, task.step)
        return self.net.predict(np.stack([rows[start : start + task.window] for rows in series for start in starts]))
