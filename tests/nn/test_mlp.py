import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline

from skts import HistoryPrepender, NetRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.nn import MLP, QuantileHead


def make_rows(n=3):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(n, 7, 4, generator=generator), torch.randn(n, 5, 2, generator=generator)


def test_it_equals_scikit_learns_perceptron_with_the_same_weights():
    past, known = make_rows(40)
    net = MLP(4, 2, 3, 5, 7, hidden_sizes=(6, 4)).requires_grad_(False).double()
    values = np.concatenate([past.flatten(1), known.flatten(1)], axis=1)
    oracle = MLPRegressor(hidden_layer_sizes=(6, 4)).partial_fit(values, np.zeros((40, 15)))
    layers = [net.hidden[0], net.hidden[3], net.output]
    oracle.coefs_ = [layer.weight.T.numpy() for layer in layers]
    oracle.intercepts_ = [layer.bias.numpy() for layer in layers]
    forecast = net(past.double(), known.double())[0]
    np.testing.assert_allclose(forecast.flatten(1), oracle.predict(values.astype(float)), rtol=1e-9, atol=1e-12)


def test_rows_that_are_no_lags_are_not_read():
    past, known = make_rows()
    net = MLP(4, 2, 1, 5, 7, lags=[7, 1, 2], linear_skip=True)
    moved = past.requires_grad_()
    net(moved, known)[0].sum().backward()
    assert moved.grad.abs().sum(dim=(0, 2)).ne(0).tolist() == [True, False, False, False, False, True, True]


@pytest.mark.parametrize(("lags", "said"), [([0, 1], "0 is none"), ([8], "8 is none"), ([], "at least one")])
def test_lags_beyond_the_window_are_refused(lags, said):
    with pytest.raises(ValueError, match=rf"MLP\(lags=.*from 1 to 7.*{said}"):
        MLP(4, 2, 1, 5, 7, lags=lags)


def test_columns_that_are_not_named_are_not_read():
    past, known = make_rows()
    net = MLP(4, 2, 1, 5, 7, lags=[1, 3], columns=[3, 0], linear_skip=True)
    moved = past.requires_grad_()
    net(moved, known)[0].sum().backward()
    assert moved.grad.abs().sum(dim=0).ne(0).nonzero().tolist() == [[4, 0], [4, 3], [6, 0], [6, 3]]


@pytest.mark.parametrize(("columns", "said"), [([-1], "-1 is none"), ([0, 4], "4 is none"), ([], "at least one")])
def test_columns_that_are_not_there_are_refused(columns, said):
    with pytest.raises(ValueError, match=rf"MLP\(columns=.*0 to 3.*{said}"):
        MLP(4, 2, 1, 5, 7, columns=columns)


def test_whole_series_are_refused():
    with pytest.raises(ValueError, match=r"SlidingWindower\(window"):
        MLP(4, 2, 1, 5, None)


def test_the_linear_share_is_that_of_all_that_is_read_and_moves_all_quantiles_alike():
    past, known = make_rows()
    net = MLP(4, 2, 3, 5, 7, head=QuantileHead((0.1, 0.5, 0.9)), linear_skip=True).requires_grad_(False)
    with_skip = net(past, known)[0]
    skip, net.skip = net.skip, None
    share = skip(torch.cat([past.flatten(1), known.flatten(1)], dim=1)).unflatten(1, (5, 3))
    torch.testing.assert_close(with_skip - net(past, known)[0], share[..., None].expand_as(with_skip))


def test_no_hidden_layer_is_a_linear_map():
    past, known = make_rows()
    net = MLP(4, 2, 1, 5, 7, hidden_sizes=()).requires_grad_(False)
    both = net(2 * past, 2 * known)[0] - net(past, known)[0]
    torch.testing.assert_close(both, net(past, known)[0] - net(0 * past, 0 * known)[0])


def test_it_learns_hours_that_a_linear_map_cannot():
    X, y = make_panel(n_series=2, n_rows=600, random_state=0)
    y = (X["wind"] - X["wind"].mean()).abs()  # known ahead, but bent

    def score(hidden_sizes):
        net = NetRegressor(MLP, network_params={"hidden_sizes": hidden_sizes}, max_epochs=15, random_state=0)
        pipe = make_pipeline(HistoryPrepender(12), SlidingWindower(12, horizon=6, known=["wind"]), net)
        is_new = X.index.get_level_values("time") >= "2024-01-20"
        return pipe.fit(X[~is_new], y[~is_new]).score(X[is_new], y[is_new])

    assert score((64,)) > 0.8 > 0.5 > score(())
