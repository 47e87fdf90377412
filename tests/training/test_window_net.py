import pickle
import sys
import threading

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR

from skts import LSTMRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import NonFiniteLossError
from skts.nn import EncoderDecoder
from skts.training import WindowNet, draws_in_training, seeded
from tests.training._nets import fit, make_net, make_table, train, weights_of, with_targets

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)  # first weights
        yield


def train_plainly(table, n_epochs, clip):
    """What the engine must do, as anyone would write it."""
    with seeded(0, CPU):
        module = EncoderDecoder(3, 0, 1, 2, hidden_size=4)
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.01)
    order, losses = torch.Generator().manual_seed(0), []
    for _ in range(n_epochs):
        total = 0.0
        for items in torch.randperm(len(table), generator=order).split(10):
            past = torch.stack([table.panel[s : s + 5] for s in table.starts[items]])
            target = torch.stack([table.targets[s + 5 : s + 7] for s in table.starts[items]])
            optimizer.zero_grad()
            loss = ((module(past)[0] - target) ** 2).mean()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), clip)
            optimizer.step()
            total += float(loss.detach()) * len(items)
        losses.append(total / len(table))
    return torch.cat([parameter.detach().ravel() for parameter in module.parameters()]), losses


def test_the_engine_equals_a_plain_loop_after_twelve_steps():
    table = make_table(40, weights=None)
    net = train(table, 3, gradient_clip=0.1)
    expected, losses = train_plainly(table, 3, clip=0.1)
    torch.testing.assert_close(weights_of(net), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(net.history[:, "train_loss"], losses, rtol=1e-5)


class SeesBatches(Callback):
    def on_train_begin(self, net, **kwargs):
        self.n_batches = self.n_gradients = 0

    def on_batch_end(self, net, training=None, **kwargs):
        self.n_batches += 1

    def on_grad_computed(self, net, named_parameters, **kwargs):
        self.n_gradients += len(list(named_parameters)) > 0


def test_a_callback_that_wants_batches_sees_them_and_changes_nothing_else():
    table, seen = make_table(40), SeesBatches()
    lean, stock = (train(table, 2, table, callbacks=callbacks) for callbacks in ([], [seen]))
    assert seen.n_batches == 2 * (4 + 4)
    assert seen.n_gradients == 2 * 4
    torch.testing.assert_close(weights_of(lean), weights_of(stock), rtol=0, atol=0)
    for loss in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(lean.history[:, loss], stock.history[:, loss], rtol=1e-6)


def make_lbfgs(**options):
    return make_net(optimizer=torch.optim.LBFGS, lr=0.1, optimizer__max_iter=20, **options)


def test_an_optimizer_with_a_closure_works():
    net = fit(make_lbfgs(batch_size=40), make_table(40), 3)
    assert net.history[-1]["train_loss"] < net.history[0]["train_loss"]


@pytest.mark.parametrize("n_origins", [1, 4])
def test_no_weights_are_weights_of_one(n_origins):
    nets = [train(make_table(40, n_origins=n_origins, weights=own), 2) for own in (torch.ones(48, 1), None)]
    torch.testing.assert_close(*map(weights_of, nets), rtol=1e-5, atol=1e-6)


def test_weights_of_zero_hide_targets():
    weights = torch.ones(48, 1)
    weights[10:20] = 0
    honest = make_table(40, weights=weights)
    nets = [train(table, 2) for table in (honest, with_targets(honest, slice(10, 20), 1e6))]
    torch.testing.assert_close(*map(weights_of, nets), rtol=0, atol=0)


def test_the_loss_is_the_weighted_mean_over_what_is_there():
    prediction, target = torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[0.0], [5.0]]])
    loss = make_net().get_loss(prediction, (target, torch.tensor([[[2.0], [0.0]]])))
    assert float(loss) == 2.0


def test_gradients_are_clipped():
    net = make_net(optimizer=torch.optim.SGD, lr=1.0, gradient_clip=1e-3, batch_size=40)
    before = weights_of(net)
    fit(net, make_table(40), 1)
    assert (weights_of(net) - before).norm() <= 1.0001e-3


def test_a_loss_that_is_not_finite_stops_and_says_when():
    with pytest.raises(NonFiniteLossError, match=r"train loss became nan in epoch 1.*lower lr.*StandardScaler"):
        fit(make_net(), with_targets(make_table(weights=None), 12, torch.inf), 3)


def test_validation_does_not_train():
    alone, validated = (train(make_table(40), 2, valid) for valid in (None, make_table(20)))
    torch.testing.assert_close(weights_of(alone), weights_of(validated), rtol=0, atol=0)
    assert "valid_loss" in validated.history[-1]


# --- the order of batches, and randomness -------------------------------------------------------------------


def test_the_order_is_drawn_from_the_generator_of_the_fit_alone():
    nets = []
    for number in (1, 1, 2):
        with seeded(0, CPU):
            net = make_net()
        torch.rand(3)  # what others draw counts for nothing
        before = torch.get_rng_state()
        nets.append(weights_of(fit(net, make_table(), 2, seed=number)))
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(nets[0], nets[1])
    assert not torch.equal(nets[0], nets[2])


def test_a_generator_goes_on_from_one_fit_to_the_next():
    table, nets = make_table(), []
    for epochs in ([1, 1], [2]):
        with seeded(0, CPU):
            nets.append(make_net())
        order = torch.Generator().manual_seed(5)
        for n_epochs in epochs:
            nets[-1].train_on(table, None, n_epochs, order)
    torch.testing.assert_close(*map(weights_of, nets), rtol=0, atol=0)


@pytest.fixture
def quick_turns():
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(functions):
    """Run functions in threads of their own that begin at once, and give what they made."""
    found, barrier = [None] * len(functions), threading.Barrier(len(functions))

    def run(place):
        barrier.wait()
        found[place] = functions[place]()

    threads = [threading.Thread(target=run, args=[place]) for place in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize("options", [{}, {"dropout": 0.3}, {"num_layers": 2, "dropout": 0.3}, {"input_dropout": 0.5}])
def test_fits_in_threads_give_what_they_give_one_after_another(quick_turns, options):
    X, y = make_panel(n_series=1, n_rows=60, random_state=0)
    windows = SlidingWindower(6, 2).fit_transform(X)

    def fit_one(number):
        regressor = LSTMRegressor(4, max_epochs=4, batch_size=8, random_state=number, device="cpu", **options)
        return weights_of(regressor.fit(windows, y).net_)

    before = torch.get_rng_state()
    expected = [fit_one(number) for number in range(2)]
    found = together([lambda number=number: fit_one(number) for number in range(2)])
    assert all(map(torch.equal, found, expected))
    assert not torch.equal(*expected)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("sizes", [{}, {"dropout": 0.3}])
def test_nets_in_threads_too(quick_turns, sizes):
    table, before = make_table(), torch.get_rng_state()
    assert draws_in_training(make_net(sizes).module_) == bool(sizes)
    torch.set_rng_state(before)

    def train_one():
        return weights_of(train(table, 4, sizes=sizes))

    alone, found = train_one(), together([train_one] * 3)
    assert all(torch.equal(own, alone) for own in found)
    assert torch.equal(torch.get_rng_state(), before)


# --- whoever watches ----------------------------------------------------------------------------------------


def test_whoever_watches_hears_every_epoch_and_may_stop():
    heard = []
    net = make_net()
    watchers = {
        "begin_epoch": lambda: heard.append("begin"),
        "end_epoch": lambda: heard.append(len(net.history)) or len(net.history) == 2,
    }
    fit(net, make_table(), 10, **watchers)
    assert heard == ["begin", 1, "begin", 2]
    fit(net, make_table(), 1)
    assert len(heard) == 4  # of that fit alone


def test_callbacks_hear_of_the_epoch_that_was_the_last():
    class Counts(Callback):
        n_epochs = n_ends = 0

        def on_epoch_end(self, net, **kwargs):
            self.n_epochs += 1

        def on_train_end(self, net, **kwargs):
            self.n_ends += 1

    callback = Counts()
    fit(make_net(callbacks=[callback]), make_table(), 10, end_epoch=lambda: True)
    assert (callback.n_epochs, callback.n_ends) == (1, 1)


def test_a_net_keeps_nothing_of_a_fit_and_pickles_in_the_midst_of_one():
    table, pickled = make_table(), []
    net = make_net()

    def store():
        pickled.append(pickle.dumps(net))

    fit(net, table, 2, begin_epoch=store, end_epoch=lambda: False)
    for stored in (net, *map(pickle.loads, pickled), pickle.loads(pickle.dumps(net))):
        assert {stored._training, stored._generator, stored._begin_epoch, stored._end_epoch} == {None}
        fit(stored, table, 1)


def test_a_fit_that_fails_lets_go():
    def fail():
        raise ZeroDivisionError

    net = make_net()
    with pytest.raises(ZeroDivisionError):
        fit(net, make_table(), 2, end_epoch=fail)
    assert {net._training, net._generator, net._begin_epoch, net._end_epoch} == {None}
    assert not net.module_.training


# --- forecasts ----------------------------------------------------------------------------------------------


def test_forecasts_do_not_depend_on_the_size_of_batches(monkeypatch):
    net, table = make_net(), make_table(40)
    whole = net.forecast(table)
    monkeypatch.setattr(WindowNet, "_prediction_batch_size", lambda self, table: 7)
    np.testing.assert_allclose(net.forecast(table), whole, rtol=1e-5, atol=1e-6)
    assert whole.shape == (40, 2, 1)


def test_the_size_of_batches_to_forecast_does_not_depend_on_how_many_series_there_are():
    table = make_table(reads_series=True)
    sizes = [
        make_net({"n_series": n_series, "series_embedding": 2, "hidden_size": 64})._prediction_batch_size(table)
        for n_series in (2, 20_000)
    ]
    assert sizes[0] == sizes[1]
    wider, narrower = (make_net({"hidden_size": size})._prediction_batch_size(table) for size in (4096, 64))
    assert 16 <= wider < narrower <= 8192


def test_forecasting_leaves_the_net_as_it_is():
    net = train(make_table(), 1, sizes={"dropout": 0.5})
    attributes, before = vars(net).copy(), weights_of(net)
    assert np.array_equal(net.forecast(make_table()), net.forecast(make_table()))
    assert vars(net) == attributes
    assert torch.equal(weights_of(net), before)


# --- what the loss is the mean of ---------------------------------------------------------------------------


def loss_of_all(net, table):
    inputs, targets = table.gather(torch.arange(len(table)))
    return float(net.get_loss(net._forecast_batch(inputs), targets).detach())


@pytest.mark.parametrize("sees_batches", [False, True])
def test_the_loss_of_an_epoch_is_the_mean_over_all_that_was_taught(sees_batches):
    weights = torch.ones(48, 1)
    weights[:26] = 0  # the first batches teach little or nothing
    table = make_table(40, weights=weights)
    net = make_net(lr=0.0, callbacks=[SeesBatches()] if sees_batches else [], iterator_train__shuffle=False)
    fit(net, table, 1, table)
    for loss in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(net.history[-1][loss], loss_of_all(net, table), rtol=1e-6)


def test_origins_of_one_pass_count_as_so_many_windows():
    joined = make_table(38, n_origins=5, weights=None)
    assert sorted(set(joined.is_taught.sum(dim=1).tolist())) == [3, 5]
    net = make_net(lr=0.0, batch_size=3, iterator_train__shuffle=False)
    fit(net, joined, 1)
    np.testing.assert_allclose(net.history[-1]["train_loss"], loss_of_all(net, joined), rtol=1e-6)


@pytest.mark.parametrize("clip", [None, 0.1])
def test_a_loss_that_is_scaled_for_its_gradients_trains_as_one_that_is_not(monkeypatch, clip):
    table = make_table()
    plain = train(table, gradient_clip=clip)
    monkeypatch.setattr(WindowNet, "_loss_scale", lambda self, n_targets: 256.0)  # a power of two rounds nothing
    scaled = train(table, gradient_clip=clip)
    torch.testing.assert_close(weights_of(scaled), weights_of(plain), rtol=0, atol=0)
    np.testing.assert_array_equal(scaled.history[:, "train_loss"], plain.history[:, "train_loss"])


def test_the_loss_is_scaled_where_torch_computes_in_float16_alone():
    net = make_net()
    assert net._loss_scale(10**6) == 1.0
    net.precision = "bf16"
    assert net._loss_scale(10**6) == 1.0  # bfloat16 has the range of float32
    net.device = "cuda"
    scales = [net._loss_scale(n) for n in (0, 1, 4, 1000, 10**6)]
    assert scales == [1.0, 1.0, 2.0, 32.0, 1024.0]
    net.precision = "float32"
    assert net._loss_scale(10**6) == 1.0


# --- the learning rate over the steps -----------------------------------------------------------------------


class RecordsRates(torch.optim.AdamW):
    def step(self, closure=None):
        self.rates = [*getattr(self, "rates", []), self.param_groups[0]["lr"]]
        return super().step(closure)


def rates_of_torch(schedule, n_steps, lr=0.01):
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = {
        "constant": lambda: None,
        "cosine": lambda: CosineAnnealingLR(optimizer, n_steps),
        "one_cycle": lambda: OneCycleLR(optimizer, lr, n_steps),
    }[schedule]()
    rates = []
    for _ in range(n_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
    return rates


@pytest.mark.parametrize("sees_batches", [False, True])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle"])
def test_the_rate_moves_over_the_steps_of_a_fit_as_torch_says_and_is_then_as_before(schedule, sees_batches):
    callbacks = [SeesBatches()] if sees_batches else []
    net = make_net(lr_schedule=schedule, optimizer=RecordsRates, callbacks=callbacks)
    table = make_table(34)  # 4 batches, the last of them short
    expected = rates_of_torch(schedule, 12)
    for _ in range(2):
        net.optimizer_.rates = []
        fit(net, table, 3, table)
        np.testing.assert_allclose(net.optimizer_.rates, expected, rtol=1e-9)
        assert net.optimizer_.param_groups[0]["lr"] == 0.01


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_another_rate_and_another_schedule_start_afresh(schedule):
    net = fit(make_net(lr_schedule="one_cycle", optimizer=RecordsRates), make_table(40), 2)
    net.set_params(lr=0.003, lr_schedule=schedule)
    net.optimizer_.rates = []
    fit(net, make_table(40), 2)
    np.testing.assert_allclose(net.optimizer_.rates, rates_of_torch(schedule, 8, lr=0.003), rtol=1e-9)


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_a_schedule_trains_alike_whether_somebody_sees_batches(schedule):
    table = make_table(40)
    nets = [train(table, callbacks=callbacks, lr_schedule=schedule) for callbacks in ([], [SeesBatches()])]
    torch.testing.assert_close(*map(weights_of, nets), rtol=0, atol=0)
    assert not torch.allclose(weights_of(train(table)), weights_of(nets[0]))


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_a_single_step_has_a_schedule_too(schedule):
    net = make_net(lr_schedule=schedule, optimizer=RecordsRates, batch_size=40)
    fit(net, make_table(40), 1)
    np.testing.assert_allclose(net.optimizer_.rates, rates_of_torch(schedule, 1))


class Interrupts(Callback):
    def on_epoch_end(self, net, **kwargs):
        raise KeyboardInterrupt


def test_an_interrupted_schedule_leaves_the_rate_as_it_was_and_pickles():
    net = fit(make_net(lr_schedule="cosine", callbacks=[Interrupts()]), make_table(), 5)
    assert len(net.history) == 1
    assert net.optimizer_.param_groups[0]["lr"] == 0.01
    torch.testing.assert_close(weights_of(pickle.loads(pickle.dumps(net))), weights_of(net), rtol=0, atol=0)


def test_a_closure_moves_the_rate_once_a_step():
    net = fit(make_lbfgs(batch_size=20, lr_schedule="cosine"), make_table(40), 2)
    assert net.history[-1]["train_loss"] < net.history[0]["train_loss"]
    assert net.optimizer_.param_groups[0]["lr"] == 0.1


def test_nothing_but_the_weights_is_changed_by_a_schedule():
    net = make_net(lr_schedule="one_cycle")
    before = {key: value for key, value in net.optimizer_.param_groups[0].items() if key != "params"}
    fit(net, make_table(), 3)
    assert before.items() <= net.optimizer_.param_groups[0].items()


def test_one_cycle_works_with_an_optimizer_without_momentum():
    net = fit(make_net(lr_schedule="one_cycle", optimizer=torch.optim.Adagrad), make_table(), 2)
    assert net.history[-1]["train_loss"] < net.history[0]["train_loss"]


@pytest.mark.parametrize(
    ("options", "n_batches"),
    [({"iterator_train__batch_size": 5}, 9), ({"batch_size": -1}, 1), ({"iterator_train__subsample": 0.5}, 3)],
)
def test_a_schedule_counts_the_batches_that_there_are(options, n_batches):
    net = fit(make_net(lr_schedule="one_cycle", optimizer=RecordsRates, **options), make_table(44), 2)
    np.testing.assert_allclose(net.optimizer_.rates, rates_of_torch("one_cycle", 2 * n_batches))
