import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skts import DLinearRegressor, HistoryPrepender, LSTMRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.strategies import EnsembleRegressor, PerSeriesRegressor
from skts.supervised._summary_mixin import find_networks
from tests._markup import box_of, read_box

X, y = make_panel(n_series=2, n_rows=80, random_state=0)
WINDOWS = SlidingWindower(8, 3, known=["wind"]).fit_transform(X)


def lstm(**kwargs):
    return LSTMRegressor(**{"hidden_size": 4, "max_epochs": 3, "device": "cpu", "random_state": 0} | kwargs)


def facts_of(estimator):
    return read_box(box_of(estimator._repr_html_()))


def test_an_estimator_that_is_not_fitted_shows_the_diagram_of_scikit_learn_alone():
    for estimator in (lstm(), EnsembleRegressor(lstm()), EnsembleRegressor(lstm().fit(WINDOWS, y))):
        html = estimator._repr_html_()
        assert "sk-container-id" in html
        assert box_of(html) == ""


def test_a_fitted_network_shows_what_it_has_learned_from():
    regressor = lstm(early_stopping=True).fit(WINDOWS, y)
    history, weights = regressor.history_, regressor.net_.module_.parameters()
    kept = int(np.argmin(history["valid_loss"]))
    facts = facts_of(regressor)
    n_valid = int(facts["windows"].split(" to train, ")[1].split()[0])
    assert 0 < n_valid < len(WINDOWS) / 4
    assert facts == {
        "epochs": f"3, epoch {kept + 1} kept",
        "loss": f"train {history['train_loss'][kept]:.4g}, validation {history['valid_loss'][kept]:.4g}",
        "weights": str(sum(each.numel() for each in weights)),
        "device": "cpu",
        "windows": facts["windows"],
        "worth": f"about {WINDOWS.n_independent:.0f} independent windows",
        "series": "2 series: station_0, station_1",
        "period": "2024-01-01 00:00 to 2024-01-04 07:00",
    }
    html = box_of(regressor._repr_html_())
    assert html.count("<polyline") == 2
    assert html.count("<circle") == 1


def test_without_validation_there_is_one_line_and_all_windows_train():
    regressor = lstm().fit(WINDOWS, y)
    assert facts_of(regressor)["windows"] == f"{len(WINDOWS)} to train"
    assert box_of(regressor._repr_html_()).count("<polyline") == 1
    assert "<circle" not in box_of(regressor._repr_html_())


def test_windows_without_a_target_do_not_count():
    holed = y.where(X.index.get_level_values(0) == "station_0")
    assert facts_of(lstm().fit(WINDOWS, holed))["windows"] == f"{len(WINDOWS) // 2} to train"


def test_a_network_fitted_on_an_array_says_what_it_can():
    facts = facts_of(lstm().fit(np.asarray(WINDOWS), WINDOWS.targets(y)))
    assert facts["windows"] == f"{len(WINDOWS)} to train"
    assert {"worth", "series", "period"}.isdisjoint(facts)


def test_a_warm_start_shows_all_epochs_and_a_failed_fit_nothing():
    regressor = lstm(warm_start=True).fit(WINDOWS, y).fit(WINDOWS, y)
    assert facts_of(regressor)["epochs"] == "6"
    assert facts_of(pickle.loads(pickle.dumps(regressor))) == facts_of(regressor)
    with pytest.raises(ValueError, match="y is missing"):
        regressor.set_params(warm_start=False).fit(WINDOWS, y * np.nan)
    assert box_of(regressor._repr_html_()) == ""


def test_nothing_of_the_table_is_kept():
    regressor = lstm().fit(WINDOWS, y)
    assert len(pickle.dumps(regressor._trained_on)) < 1000


def test_an_ensemble_shows_one_box_for_all_members():
    ensemble = EnsembleRegressor(lstm(), 3, random_state=0).fit(WINDOWS, y)
    losses = [member.history_["train_loss"][-1] for member in ensemble.estimators_]
    facts = facts_of(ensemble)
    assert facts["loss"] == f"train {min(losses):.4g} to {max(losses):.4g}"
    assert facts["windows"] == f"{len(WINDOWS)} to train"
    assert facts["series"] == "2 series: station_0, station_1"
    html = box_of(ensemble._repr_html_())
    assert "3 trained networks" in html
    assert (html.count("<polyline"), html.count(">train</text>")) == (3, 1)


def test_networks_of_one_series_each_show_what_they_have_between_them():
    uneven, target = X.iloc[:-30], y.iloc[:-30]
    pipe = make_pipeline(HistoryPrepender(8), SlidingWindower(8, 3), lstm()).set_output(transform="pandas")
    facts = facts_of(PerSeriesRegressor(pipe).fit(uneven, target))
    assert facts["windows"] == "40 to 70 to train"
    assert facts["period"] == "2024-01-01 00:00 to 2024-01-04 07:00"
    assert "series" not in facts


def test_a_strategy_without_networks_shows_the_diagram_alone():
    assert box_of(PerSeriesRegressor(Ridge()).fit(X[["wind"]], y)._repr_html_()) == ""


def test_of_many_networks_some_are_looked_at_and_fewer_drawn():
    one = DLinearRegressor(max_epochs=2, device="cpu").fit(WINDOWS, y)
    ensemble = EnsembleRegressor(clone(one), 200)
    ensemble.estimators_ = [one] * 200
    assert len(find_networks(ensemble)) == 50
    assert box_of(ensemble._repr_html_()).count("<polyline") == 10


def test_names_of_series_are_escaped():
    index = pd.MultiIndex.from_product([["<script>alert(1)</script>"], pd.date_range("2024", periods=80, freq="h")])
    table = X.loc["station_0"].set_index(index)
    regressor = lstm(max_epochs=2).fit(SlidingWindower(8, 3).fit_transform(table), y.loc["station_0"].to_numpy())
    html = box_of(regressor._repr_html_())
    assert "<script" not in html
    assert read_box(html)["series"] == "1 series: <script>alert(1)</script>"
