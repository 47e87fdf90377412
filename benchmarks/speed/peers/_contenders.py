"""The contenders: each trains the same LSTM on the same windows, and forecasts the horizon from the same rows.

What they share: one LSTM layer that reads the window, a linear head, mean squared error, AdamW (fused) at one learning
rate, gradients clipped at norm 1, float32, shuffled batches of one size. What differs, because each library is built
that way:

- the head of ours, of the loop and of skorch maps the last state to 24 values; darts and neuralforecast map each of the
  last 24 states to one: as many multiplications, and the same backward pass through the LSTM;
- neuralforecast draws its batches from one series (or from ten) at each step, and so has no epochs over all windows: it
  gets as many steps of as many windows. It reads the whole panel at each step, whatever is drawn;
- ours and neuralforecast weigh missing targets, which the loop, skorch and darts cannot.

Where a library shows progress, logs or keeps checkpoints by default, that is off.
"""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import pandas as pd
import torch
from _marks import SkorchMarks, lightning_marks, mark, stopping_after
from _work import CLIP, HORIZON, LEARNING_RATE, N_SERIES, Work, first_rows

from skts import LSTMRegressor, SlidingWindower
from skts.nn import EncoderDecoder

ADAMW = {"weight_decay": 0.0, "fused": True}


class Contender(ABC):
    """One way to train and to forecast."""

    n_origins = 1  # windows that one pass over rows teaches
    n_taught: int | None = None  # windows that a fit taught, where passes are not windows
    needs: tuple[str, ...] = ()  # modules that it imports

    def __init__(self, work: Work, X: pd.DataFrame, y: pd.Series):
        self.work = work
        self.X, self.y = X, y
        n_rows = work.window + work.n_origins + HORIZON - 1
        self.newest = first_rows(X, n_rows)

    @abstractmethod
    def fit(self) -> None:
        """Train for a round, from the table on; mark where the loop over batches begins and ends."""

    @abstractmethod
    def forecast(self) -> int:
        """Forecast the horizon from every row of a table that has a window before it; give how many there were."""


class Skts(Contender):
    """Ours, with the windows of the round; each is read by a pass of its own."""

    rolling = "windows"
    options: dict[str, Any] = {"origins_per_window": 1}

    def fit(self) -> None:
        self._fit(self.X, self.y, self.work.stride)

    def _fit(self, X: pd.DataFrame, y: pd.Series, stride: int) -> None:
        work = self.work
        windows = SlidingWindower(work.window, HORIZON, stride=stride).fit_transform(X)
        self.n_taught = len(windows)
        regressor = LSTMRegressor(
            work.hidden,
            max_epochs=1,
            lr=LEARNING_RATE,
            batch_size=self._batch_size(),
            random_state=0,
            device="cpu",
            callbacks=[SkorchMarks()],
            **self.options,
        )
        with stopping_after(work.stop_after):
            self.regressor = regressor.fit(windows, y)

    def _batch_size(self) -> int:
        return self.work.batch

    def forecast(self) -> int:
        """Forecast; in one pass over each series of the whole table with `rolling="stateful"`."""
        table = self.newest if self.rolling == "windows" else self.X
        windows = SlidingWindower(self.work.window, HORIZON).fit_transform(table)
        return len(self.regressor.set_params(rolling=self.rolling).predict(windows))


class Consecutive(Skts):
    """Ours, on windows that begin at every row, of as many rows as the steps of the round take."""

    def fit(self) -> None:
        work = self.work
        per_series = min(work.n_steps * self._batch_size() // N_SERIES, work.n_rows - work.window - HORIZON + 1)
        per_series -= per_series % self.n_origins  # every pass is full
        n_rows = work.window + HORIZON - 1 + per_series
        self._fit(first_rows(self.X, n_rows), first_rows(self.y, n_rows), 1)


class Forking(Consecutive):
    """Ours, 24 windows taught by one pass, and as many passes a step as others have windows."""

    n_origins = HORIZON
    options = {"origins_per_window": HORIZON}

    def _batch_size(self) -> int:
        return self.work.batch * HORIZON


class AsItComes(Consecutive):
    """Ours, with as many windows a step as others, and the number of windows a pass that it chooses itself."""

    n_origins = 4
    options: dict[str, Any] = {}


class Loop(Contender):
    """What a careful user writes: one tensor of the table, starts of windows, one strided gather a batch."""

    def fit(self) -> None:
        work = self.work
        torch.manual_seed(0)
        values, y = self.X.to_numpy(), self.y.to_numpy()
        inputs, targets = torch.from_numpy(values), torch.from_numpy((y - y.mean()) / y.std())
        past, ahead = slide(inputs, work.window), slide(targets[:, None], HORIZON)[..., 0]
        origins = torch.from_numpy(all_origins(work, work.stride))
        self.net = EncoderDecoder(work.n_features, 0, 1, HORIZON, hidden_size=work.hidden)
        optimizer = torch.optim.AdamW(self.net.parameters(), lr=LEARNING_RATE, **ADAMW)
        mark("begin")
        self.net.train()
        total = torch.zeros(())
        for items in torch.randperm(len(origins)).split(work.batch)[: work.stop_after]:
            chosen = origins[items]
            optimizer.zero_grad()
            answers = self.net(past.index_select(0, chosen - work.window))[..., 0]
            loss = torch.nn.functional.mse_loss(answers, ahead.index_select(0, chosen))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), CLIP)
            optimizer.step()
            total += loss.detach()
        float(total)
        mark("end")

    def forecast(self) -> int:
        self.net.eval()
        table = torch.from_numpy(self.newest.to_numpy())
        past = slide(table, self.work.window)
        per_series = len(table) // N_SERIES
        starts = (torch.arange(N_SERIES)[:, None] * per_series + torch.arange(self.work.n_origins)).flatten()
        with torch.inference_mode():
            answers = torch.cat([self.net(past.index_select(0, few)) for few in starts.split(256)])
        return len(answers.numpy())


class Skorch(Contender):
    """skorch as it comes, on the array of all windows of the round."""

    needs = ("skorch",)

    def fit(self) -> None:
        from skorch import NeuralNetRegressor
        from skorch.callbacks import GradientNormClipping

        work = self.work
        origins = all_origins(work, work.stride)
        values, y = self.X.to_numpy(), self.y.to_numpy()
        y = (y - y.mean()) / y.std()
        inputs = np.stack([values[origin - work.window : origin] for origin in origins])
        targets = np.stack([y[origin : origin + HORIZON] for origin in origins])[..., None]
        net = NeuralNetRegressor(
            EncoderDecoder,
            module__n_features=work.n_features,
            module__n_known=0,
            module__n_targets=1,
            module__horizon=HORIZON,
            module__hidden_size=work.hidden,
            max_epochs=1,
            lr=LEARNING_RATE,
            optimizer=torch.optim.AdamW,
            batch_size=work.batch,
            iterator_train__shuffle=True,
            train_split=None,
            callbacks=[GradientNormClipping(CLIP), SkorchMarks()],
            verbose=0,
            **{f"optimizer__{name}": value for name, value in ADAMW.items()},
        )
        with stopping_after(work.stop_after):
            self.net = net.fit(inputs, targets)

    def forecast(self) -> int:
        values, window = self.newest.to_numpy(), self.work.window
        series = np.split(values, N_SERIES)
        n_origins = self.work.n_origins
        inputs = np.stack([rows[start : start + window] for rows in series for start in range(n_origins)])
        return len(self.net.predict(inputs))


class Darts(Contender):
    """darts' BlockRNNModel; the columns beside the target are past covariates."""

    needs = ("darts.models", "pytorch_lightning")

    def fit(self) -> None:
        from darts.models import BlockRNNModel

        work = self.work
        series, covariates = self._series(self.X)
        self.model = BlockRNNModel(
            work.window,
            HORIZON,
            model="LSTM",
            hidden_dim=work.hidden,
            n_rnn_layers=1,
            batch_size=work.batch,
            n_epochs=1,
            optimizer_cls=torch.optim.AdamW,
            optimizer_kwargs={"lr": LEARNING_RATE, **ADAMW},
            random_state=0,
            pl_trainer_kwargs={**quiet(), "gradient_clip_val": CLIP, "limit_train_batches": work.stop_after},
        )
        self.model.fit(series, past_covariates=covariates, stride=work.stride, verbose=False)

    def _series(self, X: pd.DataFrame) -> tuple[list, list | None]:
        from darts import TimeSeries

        rows = len(X) // N_SERIES
        tables = [X.iloc[i * rows : (i + 1) * rows].droplevel("series") for i in range(N_SERIES)]
        targets = [TimeSeries.from_dataframe(table[["x0"]]) for table in tables]
        if X.shape[1] == 1:
            return targets, None
        return targets, [TimeSeries.from_dataframe(table.iloc[:, 1:]) for table in tables]

    def forecast(self) -> int:
        series, covariates = self._series(self.newest)
        answers = self.model.historical_forecasts(
            series,
            past_covariates=covariates,
            forecast_horizon=HORIZON,
            stride=1,
            retrain=False,
            last_points_only=False,
            verbose=False,
        )
        return sum(len(of_series) for of_series in answers)


class NeuralForecast(Contender):
    """neuralforecast's LSTM with one series a batch; the columns beside the target are historic exogenous ones."""

    needs = ("neuralforecast.models", "pytorch_lightning")
    series_per_batch = 1

    def fit(self) -> None:
        import neuralforecast
        from neuralforecast.losses.pytorch import MSE
        from neuralforecast.models import LSTM

        work = self.work
        model = LSTM(
            h=HORIZON,
            input_size=work.window,
            encoder_n_layers=1,
            encoder_hidden_size=work.hidden,
            decoder_layers=1,
            recurrent=False,
            hist_exog_list=list(self.X.columns[1:]),
            loss=MSE(),
            max_steps=self._n_steps(),
            learning_rate=LEARNING_RATE,
            batch_size=self.series_per_batch,
            windows_batch_size=work.batch,
            scaler_type="identity",
            optimizer=torch.optim.AdamW,
            optimizer_kwargs=ADAMW,
            random_seed=1,
            **quiet(),
            gradient_clip_val=CLIP,
        )
        self.forecaster = neuralforecast.NeuralForecast(models=[model], freq="h")
        self.forecaster.fit(long_table(self.X))

    def _n_steps(self) -> int:
        return self.work.n_batches

    def forecast(self) -> int:
        answers = self.forecaster.cross_validation(
            long_table(self.newest),
            n_windows=None,
            test_size=self.work.n_origins + HORIZON - 1,
            step_size=1,
            use_fitted=True,
        )
        return len(answers) // HORIZON


class NeuralForecastTen(NeuralForecast):
    """neuralforecast's LSTM with all ten series in each batch."""

    series_per_batch = N_SERIES

    def _n_steps(self) -> int:
        return self.work.n_big_steps


CONTENDERS: dict[str, type[Contender]] = {
    "skts": Skts,
    "skts, forking": Forking,
    "skts, as it comes": AsItComes,
    "loop by hand": Loop,
    "skorch": Skorch,
    "darts": Darts,
    "neuralforecast, one series": NeuralForecast,
    "neuralforecast, ten series": NeuralForecastTen,
}


def quiet() -> dict[str, Any]:
    return {
        "accelerator": "cpu",
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": False,
        "callbacks": [lightning_marks()],
    }


def all_origins(work: Work, stride: int) -> np.ndarray:
    """The first row of the horizon of each window."""
    own = np.arange(work.window, work.n_rows - HORIZON + 1, stride)
    return (np.arange(N_SERIES)[:, None] * work.n_rows + own).ravel()


def slide(table: torch.Tensor, length: int) -> torch.Tensor:
    """View each `length` consecutive rows of a table: (n_rows - length + 1, length, n_columns)."""
    n_rows, n_columns = table.shape
    return table.as_strided((n_rows - length + 1, length, n_columns), (n_columns, n_columns, 1))


def long_table(X: pd.DataFrame) -> pd.DataFrame:
    """Lay the panel out as neuralforecast wants it."""
    names = {"series": "unique_id", "time": "ds", "x0": "y"}
    return X.reset_index().rename(columns=names)
