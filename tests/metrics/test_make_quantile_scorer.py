import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts.metrics import crps_from_quantiles, ignore_missing, make_quantile_scorer, mean_quantile_loss
from tests.metrics._quantile_forecasters import Climatology, worst_quantile_loss

LEVELS = [0.1, 0.5, 0.9]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
Y = RNG.normal(5, 1, 60)
HOLED = np.where(RNG.random(60) < 0.3, np.nan, Y)


@pytest.mark.parametrize("metric", [mean_quantile_loss, crps_from_quantiles, worst_quantile_loss])
def test_a_scorer_gives_the_negated_loss_of_the_rows_with_a_target(metric):
    fitted, there = Climatology().fit(X, Y), ~np.isnan(HOLED)
    scorer = make_quantile_scorer(metric, np.array(LEVELS))
    expected = -metric(Y[there], fitted.predict(X[there], quantiles=LEVELS), quantiles=LEVELS)
    assert scorer(fitted, X, HOLED) == expected < 0
    assert scorer(fitted, X, pd.Series(HOLED)) == expected


def test_every_row_is_forecast_since_its_neighbours_need_it():
    class Counting(Climatology):
        def predict(self, X, quantiles=None):
            self.seen_ = len(X)
            return super().predict(X, quantiles)

    fitted = Counting().fit(X, Y)
    make_quantile_scorer(mean_quantile_loss, LEVELS)(fitted, X, HOLED)
    assert fitted.seen_ == 60


def test_weights_go_with_their_rows():
    fitted, weight = Climatology().fit(X, Y), RNG.uniform(0, 2, 60)
    expected = -mean_quantile_loss(HOLED, fitted.predict(X, LEVELS), quantiles=LEVELS, sample_weight=weight)
    scorer = make_quantile_scorer(mean_quantile_loss, LEVELS)
    assert scorer(fitted, X, HOLED, sample_weight=weight) == expected != scorer(fitted, X, HOLED)


def test_a_scorer_is_named_pickled_and_known_to_scikit_learn():
    scorer = make_quantile_scorer(mean_quantile_loss, (0.1, 0.9))
    assert repr(scorer) == "make_quantile_scorer(mean_quantile_loss, quantiles=[0.1, 0.9])"
    assert get_scorer(scorer) is scorer
    again = pickle.loads(pickle.dumps(scorer))
    fitted = Climatology().fit(X, Y)
    assert again(fitted, X, HOLED) == scorer(fitted, X, HOLED)


def make_search():
    pipe = make_pipeline(StandardScaler(), Climatology())
    scorer = make_quantile_scorer(crps_from_quantiles, LEVELS)
    return GridSearchCV(pipe, {"climatology__stretch": [0.1, 1.0, 9.0]}, cv=KFold(3), scoring=scorer)


def test_a_grid_search_of_a_pipeline_finds_the_sharp_and_reliable_one():
    search = clone(make_search()).fit(X, HOLED)
    assert search.best_params_ == {"climatology__stretch": 1.0}
    assert (
        search.score(X, HOLED) == search.scorer_(search.best_estimator_, X, HOLED) == search.scorer_(search, X, HOLED)
    )


def test_a_search_is_scored_by_its_best_estimator():
    scorer = make_quantile_scorer(mean_quantile_loss, LEVELS)
    scores = cross_val_score(make_search(), X, HOLED, cv=KFold(2), scoring=scorer)
    assert np.isfinite(scores).all()


def test_several_scorers_do_not_take_each_others_forecasts():
    scoring = {
        "mae": ignore_missing("neg_mean_absolute_error"),
        "r2": ignore_missing("r2"),
        "few": make_quantile_scorer(crps_from_quantiles, [0.5]),
        "many": make_quantile_scorer(crps_from_quantiles, LEVELS),
    }
    together = cross_validate(Climatology(), X, HOLED, cv=KFold(3), scoring=scoring)
    for name, scorer in scoring.items():
        alone = cross_val_score(Climatology(), X, HOLED, cv=KFold(3), scoring=scorer)
        np.testing.assert_array_equal(together[f"test_{name}"], alone)
    # one level in the middle is the absolute error of the median
    np.testing.assert_allclose(together["test_few"], together["test_mae"])
    assert (together["test_many"] > together["test_few"]).all()


def test_metadata_routing_brings_the_weights():
    weight = RNG.uniform(0.5, 2, 60)
    with config_context(enable_metadata_routing=True):
        scorer = make_quantile_scorer(mean_quantile_loss, LEVELS).set_score_request(sample_weight=True)
        params = {"sample_weight": weight}
        found = cross_validate(Climatology(), X, HOLED, cv=KFold(3), scoring=scorer, params=params)
    plain = make_quantile_scorer(mean_quantile_loss, LEVELS)
    expected = [
        plain(Climatology().fit(X[train], HOLED[train]), X[test], HOLED[test], sample_weight=weight[test])
        for train, test in KFold(3).split(X)
    ]
    np.testing.assert_array_equal(found["test_score"], expected)


def test_what_cannot_be_scored_is_named():
    with pytest.raises(TypeError, match=r"make_quantile_scorer\(metric='crps'\): a function metric"):
        make_quantile_scorer("crps", LEVELS)
    scorer = make_quantile_scorer(mean_quantile_loss, LEVELS)
    with pytest.raises(ValueError, match="y_true has no target in any of its 60 rows"):
        scorer(Climatology().fit(X, Y), X, np.full(60, np.nan))
    with pytest.raises(TypeError, match="quantiles"):
        scorer(DummyRegressor().fit(X, Y), X, Y)
