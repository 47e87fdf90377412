import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import get_scorer, make_scorer, mean_absolute_error, mean_pinball_loss
from sklearn.model_selection import GridSearchCV, KFold, cross_validate

from skts.metrics import ignore_missing, make_quantile_scorer, mean_quantile_loss

X = np.random.default_rng(0).standard_normal((40, 2))
FULL = X @ [1.0, -2.0] + np.sin(5 * X[:, 0])
THERE = np.arange(40) % 4 != 1
Y = np.where(THERE, FULL, np.nan)
WEIGHT = np.arange(1.0, 41)
MODEL = LinearRegression().fit(X, FULL)

SCORERS = {
    "r2": "r2",
    "mae": "neg_mean_absolute_error",
    "rmse": get_scorer("neg_root_mean_squared_error"),
    "pinball": make_scorer(mean_pinball_loss, alpha=0.1, greater_is_better=False),
}


class Forgiving(RegressorMixin, BaseEstimator):
    """Ordinary least squares that leaves out the rows without a target, as our regressors do."""

    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y):
        there = ~np.isnan(np.asarray(y))
        self.model_ = LinearRegression().fit(np.asarray(X)[there], np.asarray(y)[there])
        return self

    def predict(self, X):
        return self.model_.predict(np.asarray(X)) + self.shift


@pytest.mark.parametrize("scoring", SCORERS.values(), ids=SCORERS)
@settings(deadline=None, max_examples=25)
@given(there=arrays(bool, 40).filter(lambda there: there.sum() > 1), weighted=st.booleans())
def test_it_equals_the_plain_score_of_the_rows_with_a_target(scoring, there, weighted):
    some, rest = ({"sample_weight": WEIGHT}, {"sample_weight": WEIGHT[there]}) if weighted else ({}, {})
    score = ignore_missing(scoring)(MODEL, X, np.where(there, FULL, np.nan), **some)
    assert score == pytest.approx(get_scorer(scoring)(MODEL, X[there], FULL[there], **rest), rel=1e-12)


@pytest.mark.parametrize("container", [np.asarray, list, pd.Series, lambda y: pd.Series(y, index=np.arange(40)[::-1])])
def test_any_container_of_targets_will_do(container):
    assert ignore_missing("r2")(MODEL, X, container(Y)) == get_scorer("r2")(MODEL, X[THERE], FULL[THERE])


def test_a_row_with_any_missing_target_is_left_out_of_a_score_of_several():
    both = np.column_stack([FULL, -FULL])
    holes = both.copy()
    holes[3, 0] = holes[7, 1] = np.nan
    model = LinearRegression().fit(X, both)
    there = np.setdiff1d(np.arange(40), [3, 7])
    for y in (holes, pd.DataFrame(holes)):
        assert ignore_missing("r2")(model, X, y) == get_scorer("r2")(model, X[there], both[there])


def test_the_estimator_forecasts_every_row():
    class Counting(Forgiving):
        def predict(self, X):
            seen.append(len(X))
            return super().predict(X)

    seen = []
    ignore_missing("r2")(Counting().fit(X, Y), X, Y)
    assert seen == [40]


def test_scorers_that_ask_for_probabilities_work_too():
    labels = np.where(THERE, FULL > 0, np.nan)
    model = LogisticRegression().fit(X, FULL > 0)
    for name in ("roc_auc", "neg_log_loss"):
        expected = get_scorer(name)(model, X[THERE], FULL[THERE] > 0)
        assert ignore_missing(name)(model, X, labels) == pytest.approx(expected)


def test_a_plain_scorer_refuses_missing_targets():
    with pytest.raises(ValueError, match="contains NaN"):
        get_scorer("r2")(MODEL, X, Y)


def test_nothing_to_score_is_refused():
    with pytest.raises(ValueError, match=r"ignore_missing\('r2'\): y is missing \(NaN\) in every row"):
        ignore_missing("r2")(MODEL, X, np.full(40, np.nan))


@pytest.mark.parametrize("scoring", [mean_absolute_error, lambda estimator, X, y: estimator.score(X, y)])
def test_what_is_no_scorer_is_refused_with_the_way_out(scoring):
    with pytest.raises(TypeError, match=r"a scorer or the name of one is expected.*make_scorer"):
        ignore_missing(scoring)


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="'r3' is not a valid scoring value"):
        ignore_missing("r3")


@pytest.mark.slow
def test_a_search_ranks_by_several_scores_with_workers():
    scoring = {"r2": ignore_missing("r2"), "mae": ignore_missing(get_scorer("neg_mean_absolute_error"))}
    search = GridSearchCV(
        Forgiving(), {"shift": [5.0, 0.0]}, scoring=scoring, refit="mae", cv=3, n_jobs=2, error_score="raise"
    ).fit(X, pd.Series(Y))
    assert search.best_params_ == {"shift": 0.0}
    assert np.isfinite(search.cv_results_["mean_test_r2"]).all()


def test_cross_validation_scores_what_a_loop_would():
    result = cross_validate(Forgiving(), X, Y, scoring={"mae": ignore_missing("neg_mean_absolute_error")}, cv=KFold(4))
    for (train, test), score in zip(KFold(4).split(X), result["test_mae"], strict=True):
        there = test[THERE[test]]
        model = Forgiving().fit(X[train], Y[train])
        assert score == -mean_absolute_error(FULL[there], model.predict(X[there]))


def test_it_survives_pickling_and_says_what_it_is():
    for scoring in SCORERS.values():
        scorer = ignore_missing(scoring)
        assert pickle.loads(pickle.dumps(scorer))(MODEL, X, Y) == scorer(MODEL, X, Y)
    assert repr(ignore_missing("r2")) == "ignore_missing('r2')"


def test_the_targets_stay_as_they_are():
    y = Y.copy()
    y.setflags(write=False)
    ignore_missing("r2")(MODEL, X, y)
    np.testing.assert_array_equal(y, Y)


def test_a_request_for_weights_is_kept():
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(mean_absolute_error).set_score_request(sample_weight=True)
        assert ignore_missing(scorer).get_metadata_routing().score.requests == {"sample_weight": True}


def test_a_quantile_scorer_comes_back_as_it_is():
    scorer = make_quantile_scorer(mean_quantile_loss, [0.1, 0.9])
    assert ignore_missing(scorer) is scorer
