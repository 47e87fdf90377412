"""The same work by others on a device: a loop by hand, skorch, darts and neuralforecast."""

import statistics
import time
from itertools import product

import numpy as np
import torch
from _cuda_figures import forget_peak, make_table, peak_mb, tried

from skts.nn import EncoderDecoder

ADAMW = {"weight_decay": 0.0, "fused": True}
LEARNING_RATE, CLIP = 3e-3, 1.0
N_WARM, N_STEPS = 10, 100  # of Lightning


def origins_of(work):
    """Give the first row of the horizon of each window."""
    own = np.arange(work.window, work.n_rows - work.horizon + 1)
    return (np.arange(work.n_series)[:, None] * work.n_rows + own).ravel()


def rates(work, windows_per_s):
    return {"windows_per_s": round(windows_per_s), "targets_per_s": round(windows_per_s * work.horizon)}


def slide(table, length):
    """View each `length` consecutive rows of a table: (n_rows - length + 1, length, n_columns)."""
    n_rows, n_columns = table.shape
    return table.as_strided((n_rows - length + 1, length, n_columns), (n_columns, n_columns, 1))


def loop(work, device, table, *, batch, precision):
    """What a careful user writes: the table on the device, one gather a batch, one synchronisation an epoch."""
    torch.manual_seed(0)
    values, y = (torch.tensor(part.to_numpy(), device=device) for part in table)
    past, ahead = slide(values, work.window), slide(((y - y.mean()) / y.std())[:, None], work.horizon)[..., 0]
    origins = torch.from_numpy(origins_of(work)).to(device)
    net = EncoderDecoder(work.n_features, 0, 1, work.horizon, hidden_size=work.hidden).to(device)
    optimizer = torch.optim.AdamW(net.parameters(), lr=LEARNING_RATE, **ADAMW)
    forget_peak(device)
    seconds = []
    for _ in range(1 + work.epochs):
        start, total = time.perf_counter(), torch.zeros((), device=device)
        for items in torch.randperm(len(origins), device=device).split(batch):
            chosen = origins[items]
            optimizer.zero_grad()
            with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
                answers = net(past.index_select(0, chosen - work.window))[..., 0]
            loss = torch.nn.functional.mse_loss(answers.float(), ahead.index_select(0, chosen))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
            optimizer.step()
            total += loss.detach()
        float(total)
        seconds.append(time.perf_counter() - start)
    return {**rates(work, len(origins) / statistics.median(seconds[1:])), "peak_mb": peak_mb(device)}


def skorch(work, device, table, *, batch):
    """skorch as it comes, on the array of all windows."""
    from skorch import NeuralNetRegressor
    from skorch.callbacks import GradientNormClipping

    values, y = (part.to_numpy() for part in table)
    y, origins = (y - y.mean()) / y.std(), origins_of(work)
    inputs = np.lib.stride_tricks.sliding_window_view(values, work.window, axis=0)[origins - work.window]
    inputs = np.ascontiguousarray(inputs.transpose(0, 2, 1))  # (n_windows, W, F)
    targets = np.lib.stride_tricks.sliding_window_view(y, work.horizon)[origins][..., None]
    sizes = {"n_features": work.n_features, "n_known": 0, "n_targets": 1, "horizon": work.horizon}
    net = NeuralNetRegressor(
        EncoderDecoder,
        **{f"module__{key}": value for key, value in {**sizes, "hidden_size": work.hidden}.items()},
        **{f"optimizer__{key}": value for key, value in ADAMW.items()},
        optimizer=torch.optim.AdamW,
        max_epochs=2,
        lr=LEARNING_RATE,
        batch_size=batch,
        iterator_train__shuffle=True,
        train_split=None,
        callbacks=[GradientNormClipping(CLIP)],
        device=device,
        verbose=0,
    )
    forget_peak(device)
    net.fit(inputs, targets)
    return {**rates(work, len(inputs) / net.history[-1, "dur"]), "peak_mb": peak_mb(device)}


def lightning_clock():
    """Make a callback that times the steps of Lightning behind some that warm up."""
    from pytorch_lightning import Callback

    class Clock(Callback):
        marks = []  # of the class, since neuralforecast trains with a copy

        def on_train_batch_end(self, trainer, *arguments):
            if torch.cuda.is_available() and trainer.global_step in (N_WARM, N_WARM + N_STEPS):
                torch.cuda.synchronize()
            self.marks.append(time.perf_counter())

        def steps_per_s(self):
            first, last = min(N_WARM, len(self.marks) // 2), min(N_WARM + N_STEPS, len(self.marks))
            return (last - first) / (self.marks[last - 1] - self.marks[first - 1])

    return Clock()


def quiet(device, clock):
    off = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing"), False)
    return {"accelerator": "gpu" if device == "cuda" else "cpu", "devices": 1, "callbacks": [clock], **off}


def darts(work, device, table, *, batch):
    """BlockRNNModel of darts; the columns beside the target are past covariates."""
    from darts import TimeSeries
    from darts.models import BlockRNNModel

    X, _ = table
    tables = [X.loc[i] for i in range(work.n_series)]
    clock = lightning_clock()
    model = BlockRNNModel(
        work.window,
        work.horizon,
        model="LSTM",
        hidden_dim=work.hidden,
        batch_size=batch,
        n_epochs=1,
        optimizer_cls=torch.optim.AdamW,
        optimizer_kwargs={"lr": LEARNING_RATE, **ADAMW},
        pl_trainer_kwargs={
            **quiet(device, clock),
            "gradient_clip_val": CLIP,
            "limit_train_batches": N_WARM + N_STEPS,
        },
    )
    model.fit(
        [TimeSeries.from_dataframe(own[["x0"]]) for own in tables],
        past_covariates=[TimeSeries.from_dataframe(own.iloc[:, 1:]) for own in tables],
        verbose=False,
    )
    return rates(work, batch * clock.steps_per_s())


def neuralforecast(work, device, table, *, batch):
    """The LSTM of neuralforecast with one series a batch; the columns beside the target are historic."""
    from neuralforecast import NeuralForecast
    from neuralforecast.losses.pytorch import MSE
    from neuralforecast.models import LSTM

    X, _ = table
    clock = lightning_clock()
    model = LSTM(
        h=work.horizon,
        input_size=work.window,
        encoder_n_layers=1,
        encoder_hidden_size=work.hidden,
        decoder_layers=1,
        recurrent=False,
        hist_exog_list=list(X.columns[1:]),
        loss=MSE(),
        max_steps=N_WARM + N_STEPS,
        learning_rate=LEARNING_RATE,
        batch_size=1,
        windows_batch_size=batch,
        scaler_type="identity",
        optimizer=torch.optim.AdamW,
        optimizer_kwargs=ADAMW,
        **quiet(device, clock),
        gradient_clip_val=CLIP,
    )
    names = {"series": "unique_id", "time": "ds", "x0": "y"}
    NeuralForecast(models=[model], freq="h").fit(X.reset_index().rename(columns=names))
    return rates(work, batch * clock.steps_per_s())


def measure(work, device):
    table = make_table(work)
    found = [
        {"name": "loop by hand", **tried(loop, work, device, table, batch=batch, precision=precision)}
        for batch, precision in product(work.batches, ("float32", "bf16"))
    ]
    for peer in (skorch, darts, neuralforecast):
        for batch in work.batches:
            found.append(
                {"name": peer.__name__, "precision": "float32", **tried(peer, work, device, table, batch=batch)}
            )
    return found
