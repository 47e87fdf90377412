"""What a careful user writes with torch alone: one tensor of the table, one gather a batch, one wait an epoch."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.adapters._contract import ADAMW, CLIP, LEARNING_RATE, Adapter, Plan, rolling_view

_FORECAST_AT_ONCE = 256


class PlainLSTM(nn.Module):
    """One LSTM layer reads the window, a linear head maps its last hidden state to the horizon."""

    def __init__(self, n_features: int, horizon: int, hidden_size: int):
        super().__init__()
        self.lstm = nn.LSTM(n_features, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, horizon)

    def forward(self, past: Tensor) -> Tensor:
        hidden, _ = self.lstm(past)  # (B, W, U)
        return self.head(hidden[:, -1])  # (B, H)


class Handwritten(Adapter):
    """Settings: `hidden_size`, `batch_size`, `max_epochs`, `lr`, `precision`, and `stop_after` so many steps."""

    @staticmethod
    def plain_lstm(plan: Plan) -> dict[str, Any]:
        return {
            "hidden_size": plan.hidden,
            "batch_size": plan.batch,
            "max_epochs": plan.epochs,
            "lr": LEARNING_RATE,
            "precision": plan.precision,
        }

    def fit(self) -> None:
        task, device = self.task, torch.device(self.device)
        torch.manual_seed(self.seed)
        values, target = (torch.tensor(each, device=device) for each in task.arrays())
        past, ahead = rolling_view(values, task.window), rolling_view(target[:, None], task.horizon)[..., 0]
        origins = torch.from_numpy(task.origins).to(device)
        self.n_taught = len(origins)
        self.net = PlainLSTM(values.shape[1], task.horizon, self.settings["hidden_size"]).to(device)
        optimizer = torch.optim.AdamW(self.net.parameters(), lr=self.settings["lr"], **ADAMW)
        self.watch.begin()
        self.net.train()
        for _ in range(self.settings["max_epochs"]):
            self._train_an_epoch(optimizer, past, ahead, origins)
            self.watch.look(self.net)
        self.watch.end(self.net)

    def _train_an_epoch(self, optimizer: torch.optim.Optimizer, past: Tensor, ahead: Tensor, origins: Tensor) -> None:
        total = torch.zeros((), device=origins.device)
        is_bf16 = self.settings["precision"] == "bf16"
        batches = torch.randperm(len(origins), device=origins.device).split(self.settings["batch_size"])
        for items in batches[: self.settings.get("stop_after")]:
            chosen = origins[items]
            optimizer.zero_grad()
            with torch.autocast(origins.device.type, torch.bfloat16, enabled=is_bf16):
                forecasts = self.net(past.index_select(0, chosen - self.task.window))
            loss = nn.functional.mse_loss(forecasts.float(), ahead.index_select(0, chosen))
            loss.backward()
            nn.utils.clip_grad_norm_(self.net.parameters(), CLIP)
            optimizer.step()
            total += loss.detach()
        float(total)  # the epoch's only wait

    def forecast(self, learned: Any = None) -> np.ndarray:
        task = self.task
        self.net.eval()
        recent = task.recent(task.window)
        n_rows = len(recent) // task.n_series
        past = rolling_view(torch.tensor(recent.to_numpy(np.float32)), task.window)
        own = torch.arange(0, n_rows - task.window - task.horizon + 1, task.step)
        starts = (torch.arange(task.n_series)[:, None] * n_rows + own).flatten()
        with torch.inference_mode():
            few = [self.net(past.index_select(0, some)) for some in starts.split(_FORECAST_AT_ONCE)]
        return torch.cat(few).numpy()
