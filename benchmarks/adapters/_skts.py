"""skts: its LSTM, or any network of its own."""

from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler
from torch.nn import L1Loss

from benchmarks.adapters._contract import LEARNING_RATE, Adapter, Plan
from benchmarks.adapters._skorch import SkorchWatch
from benchmarks.adapters._watch import Watch, stopping_after
from skts import LSTMRegressor, NetRegressor, SlidingWindower
from skts.nn import MLP, EncoderDecoder

NETWORK = ("hidden_size", "hidden_sizes", "lags", "columns", "dropout", "patch_len", "linear_skip")


class Skts(Adapter):
    """Settings are those of `LSTMRegressor`, and `linear_skip`, which its network has, or those of `MLP`.

    Besides: `scaled` puts a StandardScaler before, `tamed` learns asinh of the target, and `stop_after` ends the
    training after some steps.
    """

    rolling = "windows"

    @staticmethod
    def plain_lstm(plan: Plan) -> dict[str, Any]:
        return {
            "hidden_size": plan.hidden,
            "max_epochs": plan.epochs,
            "lr": LEARNING_RATE,
            "batch_size": plan.batch,
            "origins_per_pass": 1,
            "precision": plan.precision,
        }

    def fit(self) -> None:
        task, settings = self.task, dict(self.settings)
        self.tamed, scaled = settings.pop("tamed", False), settings.pop("scaled", False)
        self.scaler = StandardScaler().set_output(transform="pandas").fit(task.train) if scaled else None
        windows = self._windower(task.stride).fit_transform(self._prepared(task.train))
        self.n_taught = len(windows)
        stop_after = settings.pop("stop_after", None)
        self.regressor = make_regressor(settings, task.loss, self.watch).set_params(
            random_state=self.seed, device=self.device
        )
        y = np.arcsinh(task.train[task.target]) if self.tamed else task.train[task.target]
        with stopping_after(stop_after):
            self.regressor.fit(windows, y)

    def _windower(self, stride: int) -> SlidingWindower:
        return SlidingWindower(self.task.window, self.task.horizon, stride=stride, known=list(self.task.known))

    def _prepared(self, table):
        if self.tamed:
            table = table.assign(**{self.task.target: np.arcsinh(table[self.task.target])})
        return table if self.scaler is None else self.scaler.transform(table)

    def forecast(self, learned: Any = None) -> np.ndarray:
        task = self.task
        if learned is not None:
            self.regressor.net_.module_.load_state_dict(learned)
        windows = self._windower(task.step).fit_transform(self._prepared(task.recent(task.window)))
        levels = {} if isinstance(task.loss, str) else {"quantiles": task.loss}
        forecasts = self.regressor.predict(windows, rolling=self.rolling, **levels)
        return np.sinh(forecasts) if self.tamed else forecasts


def make_regressor(settings: dict[str, Any], loss: Any, watch: Watch) -> Any:
    """Make the regressor of these settings; `linear_skip` or `hidden_sizes` asks for the network by name."""
    settings = dict(settings)
    net_params = {"callbacks": [SkorchWatch(watch)], **settings.pop("net_params", {})}
    net_params |= {"criterion": L1Loss} if loss == "mae" else {}
    levels = {} if isinstance(loss, str) else {"quantiles": loss}
    if not settings.get("linear_skip") and "hidden_sizes" not in settings:
        return LSTMRegressor(**settings, **levels, net_params=net_params)
    network_params = {name: settings.pop(name) for name in NETWORK if name in settings}
    network = MLP if "hidden_sizes" in network_params else EncoderDecoder
    return NetRegressor(network, network_params=network_params, **settings, **levels, net_params=net_params)
