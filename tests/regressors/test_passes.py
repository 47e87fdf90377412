"""Several origins that are taught by one pass over their rows."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts import GRURegressor, HistoryPrepender, LSTMRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.supervised import read_inputs, read_targets
from skts.training import make_table

RECURRENT = [LSTMRegressor, GRURegressor]


def make_regressor(regressor=GRURegressor, **kwargs):
    return regressor(**{"hidden_size": 4, "max_epochs": 1, "random_state": 0, "device": "cpu"} | kwargs)


@pytest.fixture(scope="module")
def panel():
    return make_panel(n_series=2, n_rows=90, random_state=0)


@pytest.fixture(scope="module")
def windows(panel):
    return SlidingWindower(12, 4, known=["wind"]).fit_transform(panel[0])


def flat_weights(regressor):
    return torch.cat([parameter.detach().ravel() for parameter in regressor.net_.module_.parameters()])


def losses_of_origins(regressor, windows, y, n_origins):
    """Give the table of passes, the panel and the targets that it was made from, and the loss of each origin."""
    inputs, learned, net = read_inputs(regressor, windows, reset=False), regressor._learned, regressor.net_
    targets = read_targets("a regressor", inputs, y, None)
    values = targets.standardised(learned.y_mean, learned.y_scale)
    targets = (*values, targets.starts, targets.horizon)
    table = make_table(inputs, net.module_, learned.series_names, targets=targets, n_origins=n_origins)
    panel, values = (part.detach().clone().requires_grad_() for part in (table.panel, table.targets))
    table = replace(table, panel=panel, targets=values)
    given, (cut, weights) = table.gather(torch.arange(len(table)))
    losses = net.criterion_(net._forecast_batch(given), cut) * (1 if weights is None else weights)
    return table, panel, values, losses.sum(dim=(1, 2)).unflatten(0, (-1, n_origins))


def rows_that_count(loss, table):
    gradient = torch.autograd.grad(loss, table, retain_graph=True, allow_unused=True)[0]
    return [(column != 0).nonzero()[:, 0].tolist() for column in gradient.T]


@pytest.mark.parametrize("options", [{}, {"series_embedding": 2}, {"num_layers": 2}])
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_the_loss_of_an_origin_reads_no_observed_row_after_it(options, missing):
    X, y = make_panel(n_series=2, n_rows=24, missing=missing, random_state=0)
    windows = SlidingWindower(6, 3, known=["wind"]).fit_transform(X)
    regressor = make_regressor(bidirectional=True, lookahead=2, origins_per_pass=4, **options).fit(windows, y)
    regressor.net_.module_.eval()
    passes, panel, targets, losses = losses_of_origins(regressor, windows, y, 4)
    for b, k in passes.is_taught.nonzero().tolist():
        start = int(passes.starts[b])
        origin, end = start + 6 + k, int(passes.stops[b])
        if losses[b, k] == 0:  # no target of its own is there
            continue
        power, wind = rows_that_count(losses[b, k], panel)
        assert {*power} <= {*range(start, origin)}
        assert {*wind} <= {*range(start, min(origin + 5, end))}
        assert {*rows_that_count(losses[b, k], targets)[0]} <= {*range(origin, origin + 3)}
        if not missing:
            assert len(power) == 6 + k
            assert wind[-1] == min(origin + 5, end) - 1
    assert (losses[~passes.is_taught] == 0).all()
    assert passes.is_taught.sum() == len(windows)


@pytest.mark.parametrize("options", [{}, {"series_embedding": 2}, {"num_layers": 2}, {"bidirectional": True}])
@pytest.mark.parametrize("regressor", RECURRENT)
def test_a_pass_teaches_what_windows_that_begin_with_it_teach(panel, windows, regressor, options):
    fitted = make_regressor(regressor, origins_per_pass=4, **options).fit(windows, panel[1])
    passes, _, _, losses = losses_of_origins(fitted, windows, panel[1], 4)
    for k in range(4):  # windows of 12 + k rows: nothing is carried in from before the pass
        longer = SlidingWindower(12 + k, 4, known=["wind"]).fit_transform(panel[0])
        plain, _, _, own = losses_of_origins(fitted, longer, panel[1], 1)
        loss_from = dict(zip(plain.starts.tolist(), own[:, 0].tolist(), strict=True))
        is_taught = passes.is_taught[:, k]
        expected = [loss_from[start] for start in passes.starts[is_taught].tolist()]
        np.testing.assert_allclose(losses[is_taught, k].detach(), expected, rtol=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_what_validates_never_trains_though_passes_are_long(panel, bidirectional):
    X, y = panel
    late = (X.groupby("station").cumcount() >= 75).to_numpy()
    options = {"early_stopping": True, "validation_fraction": 15 / 78, "max_epochs": 2}
    regressor = make_regressor(origins_per_pass=20, bidirectional=bidirectional, **options)
    windower = SlidingWindower(12, 4, known=["wind"])
    honest = clone(regressor).fit(windower.fit_transform(X), y)
    lying = X.copy()
    lying.loc[late] = 50.0
    lies = clone(regressor).fit(windower.fit_transform(lying), y.mask(late, 50.0))
    assert lies.history_["train_loss"] == honest.history_["train_loss"]
    assert lies.history_["valid_loss"] != honest.history_["valid_loss"]


def test_a_step_teaches_some_batch_size_windows_whatever_the_passes(panel, windows):
    steps = []
    for n_origins in (1, 4, 15):
        regressor = make_regressor(origins_per_pass=n_origins, batch_size=5).fit(windows, panel[1])
        steps.append(int(regressor.net_.optimizer_.state_dict()["state"][0]["step"]))
    assert steps == [150 // 5, 2 * 19, 2 * 5]  # 75 windows of each station in 75, 19 and 5 passes, 5 windows a step


@pytest.mark.parametrize(
    ("stride", "options", "n_origins"),
    [
        (1, {}, 4),
        (2, {}, 1),
        (24, {}, 1),
        (1, {"patch_len": 3}, 1),
        (1, {"instance_norm": "last"}, 1),
    ],
)
def test_neighbouring_windows_share_passes_by_themselves(panel, stride, options, n_origins):
    X, y = panel
    windows = SlidingWindower(12, 4, stride=stride, known=["wind"]).fit_transform(X)
    unasked, asked, alone = (
        make_regressor(origins_per_pass=k, **options).fit(windows, y) for k in ("auto", n_origins, 1)
    )
    assert torch.equal(flat_weights(unasked), flat_weights(asked))
    assert torch.equal(flat_weights(unasked), flat_weights(alone)) == (n_origins == 1)


@pytest.mark.slow
def test_it_learns_from_every_origin_of_a_pass():
    X, y = make_panel(n_series=2, n_rows=500, noise=0.05, random_state=0)
    new = (X.groupby("station").cumcount() >= 400).to_numpy()
    regressor = make_regressor(LSTMRegressor, hidden_size=12, max_epochs=30, lr=0.02, origins_per_pass=6, batch_size=16)
    pipe = make_pipeline(
        StandardScaler(), HistoryPrepender(12), SlidingWindower(12, 4, known=["wind"]), regressor
    ).set_output(transform="pandas")
    assert pipe.fit(X[~new], y[~new]).score(X[new], y[new]) > 0.8


def test_arrays_have_no_neighbours_to_share_a_pass_with(windows, panel):
    X, y = np.asarray(windows), windows.targets(panel[1])[:, 0]
    one, many = (make_regressor(origins_per_pass=n_origins).fit(X, y) for n_origins in (1, 9))
    assert torch.equal(flat_weights(one), flat_weights(many))
