import pytest
from sklearn.metrics import mean_squared_error
from skorch.callbacks import Checkpoint, EarlyStopping, EpochScoring, LRScheduler, PassthroughScoring

from skts import LSTMRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.training import check_callbacks

SCORING = EpochScoring(mean_squared_error)


@pytest.mark.parametrize("callback", [SCORING, EpochScoring, ("scoring", SCORING)])
@pytest.mark.parametrize("validates", [True, False])
def test_what_scores_arrays_is_refused_and_scikit_learn_named(callback, validates):
    with pytest.raises(ValueError, match=r"Net\(.*EpochScoring.*addresses.*set_callbacks\(sklearn.callback.Scoring"):
        check_callbacks([LRScheduler(), callback], "Net", validates=validates)


@pytest.mark.parametrize("callback", [EarlyStopping(), EarlyStopping, ("stop", EarlyStopping()), Checkpoint()])
def test_what_watches_a_validation_needs_one(callback):
    with pytest.raises(ValueError, match=r"Net\(.*monitor='valid_loss.*nothing validates.*early_stopping=True"):
        check_callbacks([callback], "Net", validates=False)
    check_callbacks([callback], "Net", validates=True)


@pytest.mark.parametrize(
    "callback",
    [EarlyStopping(monitor="train_loss"), Checkpoint(monitor=None), LRScheduler, PassthroughScoring("train_loss")],
)
def test_all_others_serve(callback):
    check_callbacks([callback], "Net", validates=False)


def test_a_regressor_asks_before_it_trains():
    X, y = make_panel(n_series=1, n_rows=40, random_state=0)
    regressor = LSTMRegressor(2, max_epochs=1, net_params={"callbacks": [EarlyStopping()]}, device="cpu")
    with pytest.raises(ValueError, match="nothing validates"):
        regressor.fit(SlidingWindower(4).fit_transform(X), y)
