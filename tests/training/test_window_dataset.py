import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from skts import SlidingWindower
from skts.exceptions import ShortSeriesError, ShortSeriesWarning
from skts.nn import EncoderDecoder
from skts.training import WindowDataset, WindowNet, fill_forward
from tests._panels import make_table, ragged_panels, runs


@settings(deadline=None, max_examples=50)
@given(
    arrays(np.float32, array_shapes(min_dims=3, max_dims=3, max_side=6), elements=st.sampled_from([1, 2, 3, np.nan]))
)
def test_fill_forward_equals_pandas(values):
    filled = fill_forward(torch.from_numpy(values)).numpy()
    expected = [pd.DataFrame(window).ffill().fillna(0).to_numpy() for window in values]
    np.testing.assert_array_equal(filled, expected)


def make(panel, **kwargs):
    options = {"window": 4, "horizon": 3, "known": torch.tensor([1])} | kwargs
    return WindowDataset(torch.from_numpy(panel), torch.tensor([0, 5, 2]), **options)


def test_gather_equals_the_obvious_loop():
    panel = np.arange(40, dtype=np.float32).reshape(20, 2)
    targets, weights = torch.arange(20.0)[:, None], torch.rand(20, 1)
    starts = torch.tensor([4, 9, 6])
    dataset = make(panel, targets=targets, weights=weights, target_starts=starts)
    inputs, (cut, cut_weights) = dataset.gather(torch.tensor([2, 0]))
    np.testing.assert_array_equal(inputs["past"], [panel[2:6], panel[0:4]])
    np.testing.assert_array_equal(inputs["future"], [panel[6:9, [1]], panel[4:7, [1]]])
    assert torch.equal(cut, torch.stack([targets[6:9], targets[4:7]]))
    assert torch.equal(cut_weights, torch.stack([weights[6:9], weights[4:7]]))


def test_nothing_known_gives_no_future():
    assert set(make(np.zeros((20, 2), np.float32), known=None).gather(torch.tensor([0]))[0]) == {"past"}


def test_holes_are_filled_from_within_the_window_only():
    panel = np.arange(40, dtype=np.float32).reshape(20, 2)
    panel[[1, 2, 7], 0] = np.nan  # a column with holes
    inputs, _ = make(panel).gather(torch.arange(3))
    np.testing.assert_array_equal(inputs["past"][0, :, 0], [0, 0, 0, 6])
    np.testing.assert_array_equal(inputs["past"][2, :, 0], [0, 6, 8, 10])  # row 1 lies before this window: 0, not 2
    assert torch.isnan(torch.from_numpy(panel)).sum() == 3  # the table stays as it is


def test_holes_in_the_known_future_go_on_from_the_window():
    panel = np.arange(40, dtype=np.float32).reshape(20, 2)
    panel[[4, 5], 1] = np.nan
    inputs, _ = make(panel).gather(torch.tensor([0]))
    np.testing.assert_array_equal(inputs["future"][0, :, 0], [panel[3, 1], panel[3, 1], panel[6, 1]])


def test_a_subset_shares_the_panel():
    panel = np.arange(40, dtype=np.float32).reshape(20, 2)
    dataset = make(panel)
    subset = dataset.subset(np.array([2]))
    assert len(subset) == 1
    assert subset.panel.data_ptr() == dataset.panel.data_ptr()
    assert torch.equal(subset.gather(torch.tensor([0]))[0]["past"], dataset.gather(torch.tensor([2]))[0]["past"])


# --- context and passes over ragged panels with gaps ------------------------------------------------------

WINDOW, HORIZON = 3, 2


def make_from(X, stride, context, weight=None):
    """Make the dataset of the training windows of a panel: the target of each row is its first column."""
    windower = SlidingWindower(WINDOW, HORIZON, stride=stride, known=["known"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShortSeriesWarning)
        try:
            windows = windower.fit_transform(X)
        except ShortSeriesError:
            assume(False)  # no window, no example
    panel, weight = torch.from_numpy(windows.panel), np.ones(len(X), np.float32) if weight is None else weight
    left = {row: len(run) - place for run in runs(X) for place, row in enumerate(run)}
    return WindowDataset(
        panel,
        torch.from_numpy(windows.origins - WINDOW),
        window=WINDOW,
        known=torch.from_numpy(windows.known),
        horizon=HORIZON,
        targets=panel[:, :1].clone(),
        weights=torch.from_numpy(windows.to_panel(weight))[:, None],
        target_starts=torch.from_numpy(windows.origins),
        context=context,
        stops=torch.tensor([origin + left[windows.rows[origin]] for origin in windows.origins]),
    )


def cut_by_hand(X, stride, context):
    """List (rows of the window, rows ahead, rows of the horizon) of every window, as rows of the table."""
    for run in runs(X):
        for origin in range(WINDOW, len(run) - HORIZON + 1, stride):
            ahead = [run[min(row, len(run) - 1)] for row in range(origin, origin + HORIZON + context)]
            yield run[origin - WINDOW : origin], ahead, run[origin : origin + HORIZON]


def gather_all(dataset):
    return dataset.gather(torch.arange(len(dataset)))


def as_rows(values):
    """The rows of the table, whose first column counts them and whose second counts down from -1."""
    return [[int(value) for value in window] for window in values]


@settings(max_examples=50)
@given(ragged_panels(), st.integers(1, 4), st.integers(0, 3))
def test_context_is_read_in_the_run_and_repeats_its_last_row(X, stride, context):
    inputs, (targets, _) = gather_all(make_from(X, stride, context))
    past, ahead = as_rows(inputs["past"][:, :, 0]), as_rows(-1 - inputs["future"][:, :, 0])
    read = list(zip(past, ahead, as_rows(targets[:, :, 0]), strict=True))
    assert sorted(read) == sorted(cut_by_hand(X, stride, context))


def read_forked(dataset):
    """List what each origin with a window reads and is taught."""
    inputs, (targets, weights) = gather_all(dataset)
    n_origins = dataset.n_origins
    targets, weights = (values.unflatten(0, (-1, n_origins)) for values in (targets, weights))
    assert targets.shape[:2] == inputs["origins"].shape
    reach = inputs["future"].shape[1] - n_origins + 1
    for b, k in inputs["origins"].nonzero().tolist():
        past, ahead = inputs["past"][b, : WINDOW + k, 0], -1 - inputs["future"][b, k : k + reach, 0]
        yield *as_rows([past, ahead, targets[b, k, :, 0]]), weights[b, k, :, 0].tolist()


@settings(max_examples=100)
@given(ragged_panels(), st.integers(1, 4), st.integers(0, 3), st.integers(1, 8), st.integers(0, 9))
def test_forked_windows_are_all_taught_once_from_their_own_rows(X, stride, context, n_origins, seed):
    weight = np.random.default_rng(seed).integers(0, 3, len(X)).astype(np.float32)
    found = []
    for read, ahead, taught, taught_weights in read_forked(make_from(X, stride, context, weight).fork(n_origins)):
        found.append((read[-WINDOW:], ahead, taught))
        assert len(read) < WINDOW + n_origins
        assert any(read == run[run.index(read[0]) :][: len(read)] for run in runs(X) if read[0] in run)
        assert taught_weights == weight[taught].tolist()
    assert sorted(found) == sorted(cut_by_hand(X, stride, context))


@settings(max_examples=30)
@given(ragged_panels(), st.integers(1, 4), st.integers(2, 8))
def test_whatever_no_window_asked_for_weighs_nothing(X, stride, n_origins):
    inputs, (_, weights) = gather_all(make_from(X, stride, 0).fork(n_origins))
    assert (weights[:, 0, 0] > 0).tolist() == inputs["origins"].flatten().tolist()
    assert (weights > 0).sum() == HORIZON * sum(1 for _ in cut_by_hand(X, stride, 0))


def test_one_origin_in_a_pass_is_the_windows_themselves():
    dataset = make_from(make_table([("a", hour) for hour in range(20)]), 1, 1)
    (plain, taught), (forked, forked_taught) = gather_all(dataset), gather_all(dataset.fork(1))
    assert torch.equal(plain["past"], forked["past"])
    assert torch.equal(plain["future"], forked["future"])
    assert torch.equal(taught[0], forked_taught[0])
    assert torch.equal(taught[1], forked_taught[1])


def test_a_fork_leaves_its_dataset_alone():
    dataset = make_from(make_table([("a", hour) for hour in range(20)]), 1, 1)
    before = gather_all(dataset)
    dataset.fork(4)
    assert dataset.n_origins == 1
    assert torch.equal(gather_all(dataset)[0]["past"], before[0]["past"])


# --- the loss of forked windows ---------------------------------------------------------------------------

TWO_RUNS = [("a", hour) for hour in [*range(12), *range(15, 27)]]
TWO_SERIES = [("a", hour) for hour in range(12)] + [("b", hour) for hour in range(12)]


def make_net(forgetful=False, **options):
    """A network, if forgetful one whose encoder reads a single row."""
    torch.manual_seed(0)
    sizes = {"n_features": 2, "n_known": 1, "n_targets": 1, "horizon": HORIZON, "hidden_size": 4, "cell": "gru"}
    module = {f"module__{key}": value for key, value in (sizes | options).items()}
    net = WindowNet(EncoderDecoder, **module, verbose=0, optimizer=torch.optim.AdamW).initialize()
    if forgetful:
        with torch.no_grad():
            net.module_.encoder.weight_hh_l0.zero_()
            net.module_.encoder.bias_ih_l0[4:8] = -100.0  # the update gate is shut: nothing of the state is kept
    return net


def loss_of(net, dataset):
    inputs, targets = gather_all(dataset)
    return net.get_loss(net.module_(**inputs), targets)


def scaled(where):
    X = make_table(where)
    return X / len(X)


@pytest.mark.parametrize("where", [TWO_RUNS, TWO_SERIES])
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("options", [{}, {"bidirectional": True}])
def test_forked_windows_lose_what_they_lose_apart_where_rows_before_do_not_count(where, stride, options):
    net, weight = make_net(forgetful=True, **options), np.arange(24, dtype=np.float32) % 5
    dataset = make_from(scaled(where), stride, 2, weight)
    for n_origins in (1, 2, 5, 100):
        torch.testing.assert_close(loss_of(net, dataset.fork(n_origins)), loss_of(net, dataset))


@pytest.mark.parametrize("context", [0, 2])
@pytest.mark.parametrize("where", [TWO_RUNS, TWO_SERIES])
@pytest.mark.parametrize("run", [slice(0, 12), slice(12, 24)])
def test_the_windows_of_one_run_learn_nothing_of_another(where, context, run):
    net = make_net(bidirectional=True)
    honest, lying = (make_from(scaled(where), 1, context) for _ in range(2))
    for table in (lying.panel, lying.ahead, lying.targets, lying.weights):
        table[run] = 1e4
    own = np.flatnonzero((honest.starts < run.start) | (honest.starts >= run.stop))
    assert len(own) == 8
    for n_origins in (1, 3, 30):
        losses = [loss_of(net, dataset.subset(own).fork(n_origins)) for dataset in (honest, lying)]
        assert losses[0] == losses[1]


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=60), st.floats(0.01, 0.99), st.integers(0, 99))
def test_a_subsample_has_its_share_of_every_series_and_another_at_each_pass(series, share, seed):
    dataset = make(np.zeros((20, 2), np.float32), series=torch.tensor(series))
    dataset.starts, dataset.subsample = torch.zeros(len(series), dtype=torch.int64), share
    torch.manual_seed(seed)
    drawn = torch.cat(list(dataset.batches(7, shuffle=True))).tolist()
    assert len(set(drawn)) == len(drawn)
    counts = {number: sum(series[i] == number for i in drawn) for number in set(series)}
    assert all(count == int(np.ceil(np.float32(share) * series.count(number))) for number, count in counts.items())
    assert len(list(dataset.batches(7, shuffle=True))) == dataset.n_batches(7, shuffle=True)
    assert sorted(torch.cat(list(dataset.batches(7))).tolist()) == list(range(len(series)))  # validation sees all


def test_a_subsample_is_random_and_fair():
    dataset = make(np.zeros((20, 2), np.float32), series=torch.zeros(40, dtype=torch.int64))
    dataset.starts, dataset.subsample = torch.zeros(40, dtype=torch.int64), 0.25
    torch.manual_seed(0)
    seen = torch.bincount(torch.cat([torch.cat(list(dataset.batches(9, shuffle=True))) for _ in range(400)]))
    assert len(seen) == 40
    assert seen.sum() == 4000
    assert 60 < seen.min() <= seen.max() < 145


@given(
    st.lists(st.integers(-1, 4), min_size=1, max_size=60),
    st.sampled_from([0.3, 1.0]),
    st.booleans(),
    st.integers(1, 9),
)
def test_a_batch_by_series_is_of_one_and_each_window_is_in_one_batch(series, share, shuffle, size):
    dataset = make(np.zeros((20, 2), np.float32), series=torch.tensor(series))
    dataset.starts, dataset.by_series, dataset.subsample = torch.zeros(len(series), dtype=torch.int64), True, share
    batches = [batch.tolist() for batch in dataset.batches(size, shuffle)]
    assert all(len({series[i] for i in batch}) == 1 for batch in batches)
    drawn = sorted(i for batch in batches for i in batch)
    if not shuffle or share == 1:
        assert drawn == list(range(len(series)))
    counts = {number: sum(series[i] == number for i in drawn) for number in set(series)}
    assert len(batches) == sum(-(-count // size) for count in counts.values()) == dataset.n_batches(size, shuffle)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_windows_of_series_are_counted_once_and_not_in_every_epoch(monkeypatch, share):
    dataset = make(np.zeros((20, 2), np.float32), series=torch.tensor([0, 0, 0, 1]))
    dataset.starts, dataset.by_series, dataset.subsample = torch.zeros(4, dtype=torch.int64), True, share
    n_batches = dataset.n_batches(1, shuffle=True)
    monkeypatch.setattr(torch, "bincount", None)  # it waits for the device
    for _ in range(2):
        assert len(list(dataset.batches(1, shuffle=True))) == n_batches


def test_batches_by_series_come_in_random_order():
    series = torch.arange(3).repeat_interleave(40)
    dataset = make(np.zeros((20, 2), np.float32), series=series)
    dataset.starts, dataset.by_series = torch.zeros(120, dtype=torch.int64), True
    torch.manual_seed(0)
    turns = {tuple(int(series[batch[0]]) for batch in dataset.batches(20, shuffle=True)) for _ in range(2000)}
    assert len(turns) == 90  # 6! / (2! 2! 2!) orders of three series with two batches each
    firsts = {int(batch[0]) for _ in range(200) for batch in dataset.batches(20, shuffle=True)}
    assert firsts == set(range(120))
