"""A small dataset and small nets on it, for the tests of recorded steps."""

import torch

from skts.nn import EncoderDecoder, PinballLoss
from skts.training import WindowDataset, WindowNet, seeded

LEVELS = (0.1, 0.5, 0.9)
WAYS = [  # the dataset, and how to train on it
    ({}, {}),
    ({}, {"lr_schedule": "cosine"}),
    ({}, {"lr_schedule": "one_cycle", "optimizer__weight_decay": 0.1}),
    ({"tells_series": True}, {"sizes": {"n_series": 2, "series_embedding": 2, "cell": "gru"}, "gradient_clip": None}),
    ({}, {"sizes": {"levels": LEVELS}, "criterion": PinballLoss, "criterion__levels": LEVELS}),
    ({"holes": True, "n_origins": 3}, {"batch_size": 4}),
    ({"subsample": 0.7}, {"precision": "bf16"}),
    ({"by_series": True, "subsample": 0.9}, {"sizes": {"dropout": 0.1}}),
    ({}, {"optimizer": torch.optim.SGD, "optimizer__momentum": 0.9}),
]


def make_dataset(n=44, holes=False, n_origins=1, tells_series=False, subsample=1.0, by_series=False):
    generator = torch.Generator().manual_seed(0)
    panel = torch.randn(n + 8, 3, generator=generator)
    if holes:
        panel[torch.rand(panel.shape, generator=generator) < 0.2] = torch.nan
    starts = torch.arange(n)
    dataset = WindowDataset(
        panel,
        starts,
        window=5,
        horizon=2,
        targets=torch.randn(n + 8, 1, generator=generator),
        weights=torch.rand(n + 8, 1, generator=generator).round(decimals=1),
        target_starts=starts + 5,
        series=starts % 2,
        tells_series=tells_series,
        stops=torch.full((n,), n),
    )
    dataset.subsample, dataset.by_series = subsample, by_series
    return dataset.fork(n_origins) if n_origins > 1 else dataset


def make_net(sizes=(), **options):
    sizes = {"n_features": 3, "n_known": 0, "n_targets": 1, "horizon": 2, "hidden_size": 4} | dict(sizes)
    usual = {"optimizer": torch.optim.AdamW, "optimizer__fused": True, "lr": 0.01, "batch_size": 10, "verbose": 0}
    arguments = {f"module__{key}": value for key, value in sizes.items()}
    return WindowNet(EncoderDecoder, **arguments, **usual | options).initialize()


def weights_of(net):
    return torch.cat([parameter.detach().ravel().cpu() for parameter in net.module_.parameters()])


def train(dataset, n_epochs=3, valid=None, device="cpu", **options):
    device = torch.device(device)
    for some in (dataset, valid):
        if some is not None:
            some.to(device)
    with seeded(0, device):
        return make_net(device=str(device), **options).partial_fit((dataset, valid), epochs=n_epochs)
