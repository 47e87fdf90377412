"""Ctrl-C in the midst of a training."""

import os
import signal

import numpy as np
import pytest
import skorch
import torch
from sklearn.base import clone

from skts import LSTMRegressor, SlidingWindower
from skts.datasets import make_panel

X, y = make_panel(n_series=1, n_rows=300, random_state=0)
WINDOWS = SlidingWindower(6, 2).fit_transform(X)


class Interrupts(skorch.callbacks.Callback):
    """Remembers the weights after every epoch, and sends Ctrl-C in the midst of one, or raises as it would."""

    def __init__(self, epoch, how):
        self.epoch = epoch
        self.how = how

    def on_train_begin(self, net, **kwargs):
        self.weights_ = []

    def on_epoch_end(self, net, **kwargs):
        self.weights_.append([each.detach().clone() for each in net.module_.parameters()])

    def on_batch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch and len(net.history[-1, "batches"]) == 2:
            if self.how == "raise":
                raise KeyboardInterrupt
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("how", ["raise", "signal"])
@pytest.mark.parametrize("epoch", [1, 6])
def test_an_interrupted_fit_keeps_the_best_weights_so_far(epoch, how):
    interrupts = Interrupts(epoch, how)
    lstm = LSTMRegressor(hidden_size=4, lr=0.1, early_stopping=True, n_iter_no_change=9, random_state=0)
    lstm.set_params(net_params={"callbacks": [interrupts]}).fit(WINDOWS, y)
    assert np.isfinite(lstm.predict(WINDOWS)).all()
    if epoch > 1:
        best = interrupts.weights_[int(np.argmin(lstm.history_["valid_loss"]))]
        assert all(torch.equal(one, other) for one, other in zip(lstm.net_.module_.parameters(), best, strict=True))


def test_without_validation_the_weights_are_those_of_the_moment():
    plain = LSTMRegressor(hidden_size=4, lr=0.1, random_state=0)
    lstm = clone(plain).set_params(net_params={"callbacks": [Interrupts(3, "raise")]}).fit(WINDOWS, y)
    two, three = (clone(plain).set_params(max_epochs=n).fit(WINDOWS, y) for n in (2, 3))
    of = [next(each.net_.module_.parameters()) for each in (lstm, two, three)]
    assert not torch.equal(of[0], of[1])
    assert not torch.equal(of[0], of[2])
    assert len(lstm.history_["train_loss"]) == 2
