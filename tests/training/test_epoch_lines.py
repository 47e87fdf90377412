import logging
import pickle
import re

import numpy as np
import pytest
import skorch
from skorch.callbacks import Callback, PrintLog

from skts import DLinearRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.training._epoch_lines import EpochLines, write_epoch, write_loss, write_seconds


@pytest.fixture(scope="module")
def windows():
    return SlidingWindower(4, 2).fit_transform(make_panel(n_series=2, n_rows=60, random_state=0)[0])


@pytest.fixture(scope="module")
def y():
    return make_panel(n_series=2, n_rows=60, random_state=0)[1]


def dlinear(**kwargs):
    return DLinearRegressor(**{"max_epochs": 3, "device": "cpu", "random_state": 0, "verbose": 1, "lr": 0.01} | kwargs)


def lines(capsys):
    """What was printed, without what is said once in a process."""
    return [line for line in capsys.readouterr().out.splitlines() if "tune_allocator" not in line]


def test_a_line_has_the_epoch_of_how_many_its_losses_its_seconds_and_what_is_left(windows, y, capsys):
    history = dlinear(early_stopping=True).fit(windows, y).history_
    *epochs, kept = lines(capsys)
    for i, line in enumerate(epochs):
        said = re.fullmatch(r"epoch (\d)/3  loss (\S+)  valid ([\d.]+)(\*| ) +\S+ s(  +\S+ s left)?", line)
        number, loss, valid, star, left = said.groups()
        assert (int(number), float(loss)) == (i + 1, round(history["train_loss"][i], 4))
        assert float(valid) == round(history["valid_loss"][i], 4)
        assert (star == "*") == (history["valid_loss"][i] < min(history["valid_loss"][:i], default=np.inf))
        assert (left is None) == (i == 2)
    assert kept == f"kept epoch 3 of 3, valid {history['valid_loss'][2]:.4f}"


def test_a_training_that_stops_early_shows_its_last_epoch_and_says_which_was_kept(windows, y, capsys):
    regressor = dlinear(early_stopping=True, n_iter_no_change=2, max_epochs=50, lr=0.3).fit(windows, y)
    *epochs, kept = lines(capsys)
    best = int(np.argmin(regressor.history_["valid_loss"])) + 1
    assert best < regressor.n_iter_ < 50
    assert [int(line[6:8]) for line in epochs] == list(range(1, regressor.n_iter_ + 1))
    assert kept.startswith(f"kept epoch {best} of {regressor.n_iter_}, valid ")


def test_a_training_that_goes_on_counts_on(windows, y, capsys):
    regressor = dlinear(max_epochs=2, warm_start=True).fit(windows, y)
    regressor.fit(windows, y).partial_fit(windows, y)
    assert [line.split("  ")[0] for line in lines(capsys)] == [
        f"epoch {each}" for each in ["1/2", "2/2", "3/4", "4/4", "5/5"]
    ]


def test_nothing_is_printed_unless_asked_for(windows, y, capsys):
    dlinear(verbose=0, early_stopping=True).fit(windows, y)
    dlinear(net_params={"callbacks__print_log": None}).fit(windows, y)
    assert lines(capsys) == []


def test_the_table_of_skorch_and_another_place_for_the_lines_may_be_had(windows, y, capsys, caplog):
    dlinear(net_params={"callbacks__print_log": PrintLog()}).fit(windows, y)
    assert lines(capsys)[0].split() == ["epoch", "train_loss", "dur"]
    with caplog.at_level(logging.INFO):
        dlinear(verbose=0, net_params={"callbacks__print_log__sink": logging.info}).fit(windows, y)
    assert [record.message[:9] for record in caplog.records] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert lines(capsys) == []


class Records(Callback):
    """Record two things of a user's own; skorch's checkpoint names its event so."""

    def on_epoch_end(self, net, **kwargs):
        net.history.record("ramp_error", 0.5)
        net.history.record("event_cp", len(net.history) == 2)


def test_what_other_callbacks_record_is_shown(windows, y, capsys):
    dlinear(net_params={"callbacks": [Records()]}).fit(windows, y)
    shown = lines(capsys)
    assert ["  ramp_error 0.5000  " in line for line in shown] == [True] * 3
    assert ["  cp  " in line for line in shown] == [False, True, False]
    dlinear(net_params={"callbacks": [Records()], "callbacks__print_log__keys_ignored": ["ramp_error"]}).fit(windows, y)
    assert not any("ramp_error" in line for line in lines(capsys))


class Interrupts(Callback):
    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 2:
            raise KeyboardInterrupt


def test_an_interrupted_epoch_has_no_line(windows, y, capsys):
    dlinear(net_params={"callbacks": [Interrupts()]}).fit(windows, y)
    assert [line.split("  ")[0] for line in lines(capsys)] == ["epoch 1/3"]


def test_what_is_left_is_what_the_usual_epoch_takes_for_each_to_come(monkeypatch):
    now = iter([0.0, 100.0, 100.0, 102.0, 102.0, 106.0])
    monkeypatch.setattr("skts.training._epoch_lines.perf_counter", lambda: next(now))
    told = []
    net = type("Net", (), {"history": [], "n_epochs_asked": 5, "verbose": 0})()
    printer = EpochLines(sink=told.append).initialize()
    printer.on_train_begin(net)
    for i in range(3):
        net.history.append({"epoch": i + 1, "train_loss": 1.0})
        printer.on_epoch_begin(net)
        printer.on_epoch_end(net)
    times = [" ".join(line.split()[4:]) for line in told]
    assert times == ["1 min 40 s 6 min 40 s left", "2.0 s 2 min 33 s left", "4.0 s 8.0 s left"]


def test_lines_of_one_training_are_aligned():
    rows = [
        {"epoch": 9, "train_loss": 0.5, "valid_loss": 0.75, "valid_loss_best": True},
        {"epoch": 10, "train_loss": 0.25, "valid_loss": 0.875, "valid_loss_best": False},
    ]
    shown = [write_epoch(row, 10, seconds, left) for row, seconds, left in zip(rows, (0.5, 12), (90, 75), strict=True)]
    assert len({line.index("left") for line in shown}) == len({line.index("valid") for line in shown}) == 1


@pytest.mark.parametrize("loss", [0.0, 1e-7, 1e-3, 0.5, 999.0, 1e9, -0.25, -1e-5])
def test_a_loss_keeps_its_size_and_its_sign(loss):
    assert float(write_loss(loss)) == pytest.approx(loss, rel=0.01)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0.00 s"), (9.94, "9.9 s"), (9.96, "10 s"), (99.7, "1 min 40 s"), (3600, "1 h 00 min")]
)
def test_a_time_has_the_unit_that_suits_it(seconds, text):
    assert write_seconds(seconds) == text


def test_a_fitted_net_with_its_lines_can_be_pickled(windows, y):
    regressor = dlinear(verbose=0, early_stopping=True).fit(windows, y)
    assert isinstance(dict(pickle.loads(pickle.dumps(regressor)).net_.callbacks_)["print_log"], EpochLines)
    assert issubclass(EpochLines, skorch.callbacks.PrintLog)  # so that skorch puts it after all others
