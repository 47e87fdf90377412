"""Adapters do the work that is asked for, and what counts it sees what they do; without any library but ours."""

import time

import numpy as np
import pytest
import torch

from benchmarks.adapters import Clock, Plan, Task, Watch, load_adapter
from benchmarks.adapters._counting import PARTS, ClosureFirst, counted, profiled
from benchmarks.speed._work import make_panel

HERE = ("skts", "loop by hand", "skorch")


@pytest.fixture
def make():
    torch.set_num_threads(1)
    X = make_panel(n_series=3, n_rows=60, n_features=2)
    task = Task(X, X, "x0", window=6, horizon=3, first=6, stride=4)

    def make(library, watch=None, **settings):
        adapter = load_adapter(library)
        return adapter(task, adapter.plain_lstm(Plan(hidden=4, batch=8)) | settings, watch or Watch())

    return make


@pytest.mark.parametrize("library", HERE)
def test_a_fit_takes_every_window_once_and_a_forecast_comes_from_every_row(make, library):
    adapter = make(library)
    with counted() as found:
        adapter.fit()
        forecasts = adapter.forecast()
    assert forecasts.shape == (3 * (60 - 6 - 3 + 1), 3)
    assert found["windows"] == adapter.n_taught == len(adapter.task.origins) == 39
    assert (found["steps"], found["clipped"], found["clip"]) == (5, 5, 1.0)
    assert (found["rows"], found["features"], found["hidden"], found["layers"]) == (6, 2, 4, 1)
    assert (found["optimizer"], found["fused"]) == ("AdamW(lr=0.003, weight_decay=0.0)", True)


def test_a_gradient_that_is_not_clipped_is_seen(make):
    with counted() as found:
        make("skts", net_params={"gradient_clip": None}).fit()
    assert found["clip"] > 1


@pytest.mark.parametrize("library", HERE)
def test_a_training_stops_after_the_steps_that_were_asked_for(make, library):
    with counted() as found:
        make(library, stop_after=2).fit()
    assert found["steps"] == 2


@pytest.mark.parametrize(("library", "settings"), [("skts", {}), ("skorch", {"optimizer": ClosureFirst})])
def test_the_parts_of_a_step_make_the_whole(make, library, settings):
    with profiled() as spent:
        make(library, **settings).fit()
    assert list(spent) == [*PARTS, "whole"]
    assert all(milliseconds > 0 for milliseconds in spent.values())


def test_a_stateful_forecast_reads_each_series_once(make):
    adapter = make("skts")
    adapter.rolling = "stateful"
    with counted() as found:
        adapter.fit()
        forecasts = adapter.forecast()
    assert (found["forecasts"], len(forecasts)) == (3, 156)


def test_a_watch_sees_epochs_between_begin_and_end(make):
    watch = Watch()
    make("loop by hand", watch, max_epochs=3).fit()
    assert [number for number, _ in watch.times] == [1, 2, 3]
    assert watch.began < watch.times[0][1] <= watch.times[-1][1] <= watch.ended
    assert watch.seconds_of_a_look() > 0


def test_ours_forecasts_the_same_from_weights_that_were_kept(make):
    clock = Clock()
    adapter = make("skts", clock)
    adapter.fit()
    kept = adapter.forecast()
    _, weights = clock.marks[-1]
    with torch.no_grad():
        next(adapter.regressor.net_.module_.parameters()).add_(1)
    assert not np.allclose(adapter.forecast(), kept)
    assert np.array_equal(adapter.forecast(weights), kept)


def test_the_clock_stands_while_weights_are_copied():
    clock = Clock()
    with clock.standing():
        time.sleep(0.05)
    assert clock.seconds < 0.05
    module = torch.nn.Linear(1, 1)
    clock.look(module)
    assert not clock.marks
    clock.end(module)
    with torch.no_grad():
        module.bias += 1
    assert clock.marks[0][1]["bias"] == module.bias - 1
