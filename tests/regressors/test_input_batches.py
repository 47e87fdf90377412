"""What a network is given can be had, as `predict` gives it."""

import numpy as np
import pytest
import torch

from skts import GRURegressor, NetRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.nn import EncoderDecoder

USUAL = {"max_epochs": 1, "random_state": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def panel():
    X, y = make_panel(n_series=2, n_rows=80, random_state=0)
    X.iloc[[20, 50], 0] = np.nan  # holes, that are filled
    return X, y


@pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")
@pytest.mark.parametrize("options", [{}, {"lookahead": 2, "series_embedding": 2, "dropout": 0.5}])
def test_the_network_forecasts_from_them_what_predict_forecasts(panel, options):
    X, y = panel
    windows = SlidingWindower(8, 3, known=["wind"]).fit_transform(X)
    regressor = GRURegressor(4, **USUAL, **options).fit(windows, y)
    batches = list(regressor.input_batches(windows))
    assert set(batches[0]) == {"past", "known"} | ({"series"} if options else set())
    with torch.no_grad():
        forecasts = [regressor.net_.module_(**inputs)[0] for inputs in batches]
    forecast, y_pred = torch.cat(forecasts)[..., 0].double().numpy(), regressor.predict(windows)
    slope, level = np.polyfit(forecast.ravel(), y_pred.ravel(), 1)  # the scale of the target
    np.testing.assert_allclose(slope * forecast + level, y_pred, atol=1e-5)


def test_whole_series_have_none(panel):
    X, y = panel
    whole = SlidingWindower(None, 3, known=["wind"], history=8).fit_transform(X)
    regressor = NetRegressor(EncoderDecoder, {"hidden_size": 4}, **USUAL).fit(whole, y)
    with pytest.raises(ValueError, match=r"NetRegressor\.input_batches needs windows, and was given whole series"):
        regressor.input_batches(whole)
