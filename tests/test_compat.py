import pickle

import pytest
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.dummy import DummyRegressor
from sklearn.pipeline import make_pipeline

from skts import LSTMRegressor
from skts._compat import progress, without_propagated
from tests._callbacks import Recorder

X, y = [[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0]


def lstm(*callbacks):
    return LSTMRegressor(2, max_epochs=2, device="cpu", random_state=0).set_callbacks(*callbacks)


def test_callbacks_of_the_estimator_are_told_of_every_step():
    recorder = Recorder()
    with progress("count", 2, lstm(recorder), subtask="number") as advance:
        advance()
        assert recorder.events[-1] == ("end", "count", "number", 0)
        advance()
    steps = [(event, "count", "number", i) for i in range(2) for event in ("begin", "end")]
    begin, end = [(event, "count", "numbers", 0) for event in ("begin", "end")]
    assert recorder.events == ["setup", begin, *steps, end, "teardown"]
    assert recorder.n_subtasks["count", "numbers"] == 2


def test_a_fit_that_is_a_step_is_told_once_with_its_epochs_and_keeps_no_callback():
    recorder = Recorder()
    estimator = lstm(recorder)
    with progress("count", 1, estimator, subtask="number") as advance:
        fitted = advance.fit(clone(estimator), X, y)
    tasks = [("LSTMRegressor", "fit", 0), ("LSTMRegressor", "epoch", 0), ("LSTMRegressor", "epoch", 1)]
    assert [event[1:] for event in recorder.events if event[0] == "begin"] == [("count", "numbers", 0), *tasks]
    assert recorder.events.count("setup") == recorder.events.count("teardown") == 1
    assert fitted.n_iter_ == 2
    assert not hasattr(fitted, "_skl_callbacks")
    assert estimator._skl_callbacks == [recorder]  # the user's own stays as it was


@pytest.mark.parametrize(("depth", "n_epochs"), [(0, 0), (1, 2)])
def test_the_depth_of_a_callback_counts_from_the_estimator_as_in_its_own_fit(depth, n_epochs):
    alone, inside = Recorder(depth), Recorder(depth)
    make_pipeline(lstm()).set_callbacks(alone).fit(X, y)
    pipe = make_pipeline(lstm()).set_callbacks(inside)
    with progress("count", 1, pipe) as advance:
        advance.fit(clone(pipe), X, y)
    assert len(alone.ended("epoch")) == len(inside.ended("epoch")) == n_epochs


def test_a_fit_that_fails_is_no_longer_to_come_and_an_error_ends_the_callbacks():
    recorder = Recorder()
    with progress("count", 2, lstm(recorder)) as advance:
        with pytest.raises(ValueError, match="NaN"):
            advance.fit(DummyRegressor(), X, [float("nan")] * 3)
        advance()
    assert recorder.ended("step") == [0, 1]
    with pytest.raises(KeyError), progress("count", 2, lstm(recorder)):
        raise KeyError
    assert recorder.events[-1] == "teardown"


def test_an_estimator_without_callbacks_or_none_at_all_serves():
    with progress("count", 2) as advance:
        advance()
        assert advance.fit(DummyRegressor(), X, y).predict(X)[0] == 1.0


@pytest.mark.parametrize(("verbose", "shown"), [(0, 0), (1, 1), (2, 2), (3, 3)])
def test_verbose_shows_one_level_more_each(capsys, verbose, shown):
    pipe = make_pipeline(lstm())
    with progress("count", 1, pipe, verbose) as advance:
        advance.fit(pipe, X, y)
    levels = ["count - steps", "count - step | Pipeline - fit", "Pipeline - fit-final-estimator | LSTMRegressor"]
    out = capsys.readouterr().out
    assert [level in out for level in levels] == [i < shown for i in range(3)]


def test_a_progress_bar_of_the_estimator_is_enough(capsys):
    with progress("count", 1, lstm(ProgressBar()), verbose=1) as advance:
        advance()
    assert capsys.readouterr().out.count("count - steps") == 1


def test_a_step_goes_to_another_process():
    with progress("count", 1, lstm(ProgressBar())) as advance:
        assert pickle.loads(pickle.dumps(advance.make())).fit(lstm(), X, y).n_iter_ == 2


def test_only_what_scikit_learn_propagates_is_taken_off():
    monitor = ScoringMonitor(scoring="r2")
    given = lstm(Recorder(), monitor)
    assert without_propagated(clone(given))._skl_callbacks == [monitor]
    assert len(given._skl_callbacks) == 2
    assert isinstance(without_propagated(DummyRegressor()), DummyRegressor)
