import pickle

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR

from skts.exceptions import NonFiniteLossError
from skts.nn import EncoderDecoder
from skts.training import EpochListener, WindowDataset, WindowNet, seeded

CPU = torch.device("cpu")


def make_dataset(n=40, weights=None):
    generator = torch.Generator().manual_seed(0)
    panel = torch.randn(n + 8, 3, generator=generator)
    targets = torch.randn(n + 8, 1, generator=generator)
    weights = torch.ones(n + 8, 1) if weights is None else weights
    starts = torch.arange(n)
    return WindowDataset(panel, starts, window=5, horizon=2, targets=targets, weights=weights, target_starts=starts + 5)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)  # first weights and the order of batches


def make_net(**kwargs):
    sizes = {"n_features": 3, "n_known": 0, "n_targets": 1, "horizon": 2, "hidden_size": 4}
    options = {"optimizer": torch.optim.AdamW, "lr": 0.01, "batch_size": 10, "verbose": 0} | kwargs
    return WindowNet(
        EncoderDecoder, **{f"module__{key}": value for key, value in sizes.items()}, **options
    ).initialize()


def weights_of(net):
    return torch.cat([parameter.detach().ravel() for parameter in net.module_.parameters()])


def fit(net, dataset, epochs, valid=None):
    return net.partial_fit((dataset, valid), epochs=epochs)


def train_plainly(dataset, n_epochs, clip):
    """What the engine must do, as anyone would write it."""
    module = EncoderDecoder(3, 0, 1, 2, hidden_size=4)
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.01)
    losses = []
    for _ in range(n_epochs):
        total = 0.0
        for items in torch.randperm(len(dataset)).split(10):
            past = torch.stack([dataset.panel[s : s + 5] for s in dataset.starts[items]])
            target = torch.stack([dataset.targets[s : s + 2] for s in dataset.target_starts[items]])
            optimizer.zero_grad()
            loss = ((module(past) - target) ** 2).mean()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), clip)
            optimizer.step()
            total += float(loss.detach()) * len(items)
        losses.append(total / len(dataset))
    return torch.cat([parameter.detach().ravel() for parameter in module.parameters()]), losses


def test_the_engine_equals_a_plain_loop_after_twelve_steps():
    dataset = make_dataset()
    with seeded(0, CPU):
        net = make_net(gradient_clip=0.1)
        fit(net, dataset, 3)
    with seeded(0, CPU):
        expected, losses = train_plainly(dataset, 3, clip=0.1)
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
    dataset, seen = make_dataset(), SeesBatches()
    nets = []
    for callbacks in ([], [seen]):
        with seeded(0, CPU):
            nets.append(fit(make_net(callbacks=callbacks), dataset, 2, valid=dataset))
    lean, stock = nets
    assert seen.n_batches == 2 * (4 + 4)
    assert seen.n_gradients == 2 * 4
    torch.testing.assert_close(weights_of(lean), weights_of(stock), rtol=0, atol=0)
    for loss in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(lean.history[:, loss], stock.history[:, loss], rtol=1e-6)


def test_an_optimizer_with_a_closure_works():
    with seeded(0, CPU):
        net = fit(make_net(optimizer=torch.optim.LBFGS, lr=0.1, batch_size=40), make_dataset(), 3)
    assert net.history[-1]["train_loss"] < net.history[0]["train_loss"]


@pytest.mark.parametrize("n_origins", [1, 4])
def test_no_weights_are_weights_of_one(n_origins):
    nets = []
    for weights in (torch.ones(48, 1), None):
        dataset = make_dataset()
        dataset.weights, dataset.stops = weights, torch.full((40,), 48)
        with seeded(0, CPU):
            nets.append(fit(make_net(), dataset.fork(n_origins) if n_origins > 1 else dataset, 2))
    torch.testing.assert_close(weights_of(nets[0]), weights_of(nets[1]), rtol=1e-5, atol=1e-6)


def test_weights_of_zero_hide_targets():
    weights = torch.ones(48, 1)
    weights[10:20] = 0
    spoiled = make_dataset(weights=weights)
    spoiled.targets[10:20] = 1e6
    nets = []
    for dataset in (make_dataset(weights=weights), spoiled):
        with seeded(0, CPU):
            nets.append(fit(make_net(), dataset, 2))
    torch.testing.assert_close(weights_of(nets[0]), weights_of(nets[1]), rtol=0, atol=0)


def test_the_loss_is_the_weighted_mean_over_what_is_there():
    prediction, target = torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[0.0], [5.0]]])
    loss = make_net().get_loss(prediction, (target, torch.tensor([[[2.0], [0.0]]])))
    assert float(loss) == 2.0


def test_gradients_are_clipped():
    net = make_net(optimizer=torch.optim.SGD, lr=1.0, gradient_clip=1e-3, batch_size=40)
    before = weights_of(net)
    fit(net, make_dataset(), 1)
    assert (weights_of(net) - before).norm() <= 1.0001e-3


def test_a_loss_that_is_not_finite_stops_and_says_when():
    dataset = make_dataset()
    dataset.targets[12] = torch.inf
    with pytest.raises(NonFiniteLossError, match=r"train loss became nan in epoch 1.*lower lr.*StandardScaler"):
        fit(make_net(), dataset, 3)


def test_validation_does_not_train():
    with seeded(0, CPU):
        alone = fit(make_net(), make_dataset(), 2)
    with seeded(0, CPU):
        validated = fit(make_net(), make_dataset(), 2, valid=make_dataset(20))
    torch.testing.assert_close(weights_of(alone), weights_of(validated), rtol=0, atol=0)
    assert "valid_loss" in validated.history[-1]


def test_forecasts_do_not_depend_on_the_size_of_batches(monkeypatch):
    net, dataset = make_net(), make_dataset()
    whole = net.forecast(dataset)
    monkeypatch.setattr(WindowNet, "_prediction_batch_size", lambda self, dataset: 7)
    np.testing.assert_allclose(net.forecast(dataset), whole, rtol=1e-5, atol=1e-6)
    assert whole.shape == (40, 2, 1)


def test_a_listener_hears_every_epoch_and_may_stop():
    heard = []
    listener = EpochListener(lambda: heard.append("begin"), lambda: heard.append("end") or len(heard) == 4)
    net = make_net()
    with listener.listening_to(net):
        fit(net, make_dataset(), 10)
    assert heard == ["begin", "end", "begin", "end"]
    assert all(callback is not listener for _, callback in net.callbacks_)


# --- the learning rate over the steps ---------------------------------------------------------------------


def loss_of_all(net, dataset):
    inputs, targets = dataset.gather(torch.arange(len(dataset)))
    return float(net.get_loss(net.module_(**inputs), targets).detach())


@pytest.mark.parametrize("sees_batches", [False, True])
def test_the_loss_of_an_epoch_is_the_mean_over_all_that_was_taught(sees_batches):
    weights = torch.ones(48, 1)
    weights[:26] = 0  # the first batches teach little or nothing
    dataset = make_dataset(weights=weights)
    net = make_net(lr=0.0, callbacks=[SeesBatches()] if sees_batches else [], iterator_train__shuffle=False)
    fit(net, dataset, 1, valid=dataset)
    for loss in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(net.history[-1][loss], loss_of_all(net, dataset), rtol=1e-6)


def test_origins_of_one_pass_count_as_so_many_windows():
    dataset = make_dataset()
    dataset.stops = torch.where(torch.arange(40) < 33, 33, 40)  # passes of 5, ..., 5, 3 and of 5, 2 origins
    forked = dataset.fork(5)
    net = make_net(lr=0.0, batch_size=3, iterator_train__shuffle=False)
    fit(net, forked, 1)
    np.testing.assert_allclose(net.history[-1]["train_loss"], loss_of_all(net, forked), rtol=1e-6)


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
    dataset = make_dataset(34)  # 4 batches, the last of them short
    expected = rates_of_torch(schedule, 12)
    for _ in range(2):
        net.optimizer_.rates = []
        fit(net, dataset, 3, valid=dataset)
        np.testing.assert_allclose(net.optimizer_.rates, expected, rtol=1e-9)
        assert net.optimizer_.param_groups[0]["lr"] == 0.01


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_another_rate_and_another_schedule_start_afresh(schedule):
    net = fit(make_net(lr_schedule="one_cycle", optimizer=RecordsRates), make_dataset(), 2)
    net.set_params(lr=0.003, lr_schedule=schedule)
    net.optimizer_.rates = []
    fit(net, make_dataset(), 2)
    np.testing.assert_allclose(net.optimizer_.rates, rates_of_torch(schedule, 8, lr=0.003), rtol=1e-9)


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_a_schedule_trains_alike_whether_somebody_sees_batches(schedule):
    nets = []
    for callbacks in ([], [SeesBatches()]):
        with seeded(0, CPU):
            nets.append(fit(make_net(callbacks=callbacks, lr_schedule=schedule), make_dataset(), 3))
    torch.testing.assert_close(*map(weights_of, nets), rtol=0, atol=0)
    with seeded(0, CPU):
        constant = fit(make_net(), make_dataset(), 3)
    assert not torch.allclose(weights_of(constant), weights_of(nets[0]))


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_a_single_step_has_a_schedule_too(schedule):
    net = make_net(lr_schedule=schedule, optimizer=RecordsRates, batch_size=40)
    fit(net, make_dataset(), 1)
    np.testing.assert_allclose(net.optimizer_.rates, rates_of_torch(schedule, 1))


class Interrupts(Callback):
    def on_epoch_end(self, net, **kwargs):
        raise KeyboardInterrupt


def test_an_interrupted_schedule_leaves_the_rate_as_it_was_and_pickles():
    net = fit(make_net(lr_schedule="cosine", callbacks=[Interrupts()]), make_dataset(), 5)
    assert len(net.history) == 1
    assert net.optimizer_.param_groups[0]["lr"] == 0.01
    torch.testing.assert_close(weights_of(pickle.loads(pickle.dumps(net))), weights_of(net), rtol=0, atol=0)


def test_a_closure_moves_the_rate_once_a_step():
    with seeded(0, CPU):  # before its weights are drawn, since this optimizer may diverge
        net = make_net(optimizer=torch.optim.LBFGS, lr=0.1, batch_size=20, lr_schedule="cosine")
        fit(net, make_dataset(), 2)
    assert net.history[-1]["train_loss"] < net.history[0]["train_loss"]
    assert net.optimizer_.param_groups[0]["lr"] == 0.1


def test_nothing_but_the_weights_is_changed_by_a_schedule():
    net = make_net(lr_schedule="one_cycle")
    before = {key: value for key, value in net.optimizer_.param_groups[0].items() if key != "params"}
    fit(net, make_dataset(), 3)
    assert before.items() <= net.optimizer_.param_groups[0].items()


def test_one_cycle_works_with_an_optimizer_without_momentum():
    net = fit(make_net(lr_schedule="one_cycle", optimizer=torch.optim.Adagrad), make_dataset(), 2)
    assert net.history[-1]["train_loss"] < net.history[0]["train_loss"]


@pytest.mark.parametrize("options", [{"iterator_train__batch_size": 5}, {"batch_size": -1}])
def test_a_schedule_counts_the_batches_that_there_are(options):
    net = fit(make_net(lr_schedule="one_cycle", optimizer=RecordsRates, **options), make_dataset(), 2)
    np.testing.assert_allclose(net.optimizer_.rates, rates_of_torch("one_cycle", len(net.optimizer_.rates)))
