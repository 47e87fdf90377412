"""A small table and small nets on it, for the tests of the engine."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from skts.nn import EncoderDecoder, QuantileHead
from skts.nn.heads._quantile_head import PinballLoss
from skts.training import AddressTable, WindowNet, draws_in_training, seeded
from skts.training._layout import join

LEVELS = (0.1, 0.5, 0.9)
WAYS = [  # the table, and how to train on it
    ({}, {}),
    ({}, {"lr_schedule": "cosine"}),
    ({}, {"lr_schedule": "one_cycle", "optimizer__weight_decay": 0.1}),
    ({"reads_series": True}, {"sizes": {"n_series": 2, "series_embedding": 2, "cell": "gru"}, "gradient_clip": None}),
    ({}, {"sizes": {"head": QuantileHead(LEVELS)}, "criterion": PinballLoss, "criterion__levels": LEVELS}),
    ({"holes": True, "n_origins": 3}, {"batch_size": 4}),
    ({}, {"precision": "bf16", "iterator_train__subsample": 0.7}),
    ({}, {"sizes": {"dropout": 0.1}, "iterator_train__by_series": True, "iterator_train__subsample": 0.9}),
    ({}, {"optimizer": torch.optim.SGD, "optimizer__momentum": 0.9}),
]

CPU_WAYS = [  # on a processor, bfloat16 where it has it
    pytest.param(*way, marks=pytest.mark.bf16 if way[1].get("precision") == "bf16" else ()) for way in WAYS
]


def make_table(n=44, holes=False, n_origins=1, reads_series=False, weights=True):
    """Lay `n` windows of 5 rows and 2 of horizon out; `weights` are some, none (None), or those given."""
    generator = torch.Generator().manual_seed(0)
    panel = torch.randn(n + 8, 3, generator=generator)
    if holes:
        panel[torch.rand(panel.shape, generator=generator) < 0.2] = torch.nan
    targets = torch.randn(n + 8, 1, generator=generator)
    some = torch.rand(n + 8, 1, generator=generator).round(decimals=1)
    starts = torch.arange(n, dtype=torch.int32)
    table = AddressTable(
        panel,
        starts,
        window=5,
        horizon=2,
        targets=targets,
        weights=some if weights is True else weights,
        series=starts % 2,
        reads_series=reads_series,
    )
    return join(table, n_origins, np.full((n, 2), [0, n])) if n_origins > 1 else table


def with_targets(table, rows, value):
    """Give the same table with other targets at some rows."""
    targets = table.targets.clone()
    targets[rows] = value
    return replace(table, targets=targets)


def make_net(sizes=(), **options):
    sizes = {"n_features": 3, "n_known": 0, "n_targets": 1, "horizon": 2, "hidden_size": 4} | dict(sizes)
    usual = {"optimizer": torch.optim.AdamW, "lr": 0.01, "batch_size": 10, "verbose": 0}
    if issubclass(options.get("optimizer", torch.optim.AdamW), torch.optim.AdamW | torch.optim.SGD):
        usual["optimizer__fused"] = True  # as a regressor has it
    arguments = {f"module__{key}": value for key, value in sizes.items()}
    return WindowNet(EncoderDecoder, **arguments, **usual | options).initialize()


def weights_of(net):
    return torch.cat([parameter.detach().ravel().cpu() for parameter in net.module_.parameters()])


def fit(net, table, n_epochs, valid=None, seed=0, **watchers):
    """Train as a regressor does: on the device, with an order of its own, seeded where the network draws."""
    device = torch.device(net.device)
    tables = (some if some is None else some.to(device) for some in (table, valid))
    order = torch.Generator().manual_seed(seed)
    if not draws_in_training(net.module_):
        return net.train_on(*tables, n_epochs, order, **watchers)
    with seeded(seed, device):
        return net.train_on(*tables, n_epochs, order, **watchers)


def train(table, n_epochs=3, valid=None, device="cpu", **options):
    """Make a net and train it, always in the same way."""
    with seeded(0, torch.device(device)):
        net = make_net(device=str(device), **options)
    return fit(net, table, n_epochs, valid)
