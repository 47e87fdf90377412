import numpy as np
import torch
from sklearn.metrics import r2_score

from skts import GRURegressor, LSTMRegressor, SlidingWindower
from skts.datasets import make_panel


def make_windows(n_rows=400, **kwargs):
    X, y = make_panel(n_series=2, n_rows=n_rows, noise=0.05, random_state=0)
    return SlidingWindower(12, 4, known=["wind"], **kwargs).fit_transform(X), X, y


def test_it_learns_a_known_wind_and_its_own_past():
    windows, X, y = make_windows(stride=2)
    regressor = GRURegressor(hidden_size=12, max_epochs=15, lr=0.01, random_state=0, device="cpu").fit(windows, y)
    new, power = make_panel(n_series=2, n_rows=200, noise=0.05, random_state=1)
    y_pred = regressor.predict(SlidingWindower(12, 4, known=["wind"]).fit(X).transform(new))
    assert r2_score(power[power.groupby("station").cumcount() >= 12], y_pred) > 0.8


def test_its_recurrences_are_gated_units_and_three_quarters_of_those_of_an_lstm():
    windows, _, y = make_windows(60)
    sizes = {}
    for regressor in (GRURegressor, LSTMRegressor):
        module = regressor(5, max_epochs=1, device="cpu").fit(windows, y).net_.module_
        recurrences = [module.encoder, module.decoder]
        assert {type(recurrence) for recurrence in recurrences} == {
            torch.nn.GRU if regressor is GRURegressor else torch.nn.LSTM
        }
        sizes[regressor] = sum(parameter.numel() for one in recurrences for parameter in one.parameters())
    assert 4 * sizes[GRURegressor] == 3 * sizes[LSTMRegressor]


def test_it_forecasts_what_its_network_does_in_units_of_the_target():
    windows, _, y = make_windows(60)
    regressor = GRURegressor(5, max_epochs=1, random_state=0, device="cpu").fit(windows, 100 * y + 7)
    with torch.no_grad():
        forecast, _ = regressor.net_.module_(torch.from_numpy(windows[:]), torch.from_numpy(windows.ahead))
    targets = 100 * y.to_numpy().reshape(2, 60)[:, 12:] + 7  # the rows that are ever forecast
    np.testing.assert_allclose(
        regressor.predict(windows), forecast[..., 0].numpy() * targets.std() + targets.mean(), rtol=1e-4
    )
