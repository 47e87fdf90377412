import numpy as np
import pandas as pd
import pytest
import torch

from skts.nn import LinearForecaster, QuantileHead
from skts.nn._linear_forecaster import moving_average


def make_rows():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, 7, 4, generator=generator), torch.randn(3, 5, 2, generator=generator)


def average_with_pandas(rows, kernel_size):
    """The moving average of one window, its first and last row repeated; an even kernel reaches further ahead."""
    before = (kernel_size - 1) // 2
    padded = np.pad(rows, [(before, kernel_size - 1 - before), (0, 0)], mode="edge")
    return pd.DataFrame(padded).rolling(kernel_size).mean().to_numpy()[kernel_size - 1 :]


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 7, 25, 40])
def test_the_moving_average_equals_pandas(kernel_size):
    past, _ = make_rows()
    expected = np.stack([average_with_pandas(window, kernel_size) for window in past.numpy()])
    np.testing.assert_allclose(moving_average(past, kernel_size), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kernel_size", [None, 3, 4, 25])
def test_it_is_one_linear_map_of_the_window_and_one_of_each_known_row(kernel_size):
    past, known = make_rows()
    net = LinearForecaster(4, 2, 3, 5, 7, kernel_size=kernel_size).requires_grad_(False)
    columns = past.numpy()
    if kernel_size:
        trend = np.stack([average_with_pandas(window, kernel_size) for window in columns])
        columns = np.concatenate([trend, columns - trend], axis=2)
    weight = net.past.weight.numpy().reshape(5, 3, 7, -1)
    expected = np.einsum("htwf,bwf->bht", weight, columns) + net.past.bias.numpy().reshape(5, 3)
    expected += known.numpy() @ net.known.weight.numpy().T
    np.testing.assert_allclose(net(past, known)[0], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("n_known", [0, 2])
def test_what_describes_a_series_adds_the_same_to_every_row(n_known):
    past, known = make_rows()
    net, static = LinearForecaster(4, n_known, 3, 5, 7, n_static=2, head=QuantileHead((0.1, 0.9))), torch.randn(3, 2)
    added = net(past, known, static=static)[0] - net(past, known, static=0 * static)[0]
    expected = (static @ net.static.weight.T)[:, None, :, None].expand_as(added)
    torch.testing.assert_close(added, expected, atol=1e-5, rtol=1e-4)
    assert net.reads_static


def test_trend_and_remainder_add_up_to_the_window():
    past, _ = make_rows()
    net, plain = LinearForecaster(4, 0, 1, 5, 7, kernel_size=3), LinearForecaster(4, 0, 1, 5, 7)
    with torch.no_grad():
        both = plain.past.weight.unflatten(1, (7, 4))
        net.past.weight.copy_(torch.cat([both, both], dim=2).flatten(1))  # the same weights for both parts
        net.past.bias.copy_(plain.past.bias)
    torch.testing.assert_close(net(past), plain(past))


@pytest.mark.parametrize("levels", [None, (0.1, 0.5, 0.9)])
def test_a_known_row_moves_its_own_forecast_and_all_quantiles_alike(levels):
    past, known = make_rows()
    head = None if levels is None else QuantileHead(levels)
    net = LinearForecaster(4, 2, 3, 5, 7, head, kernel_size=3)
    changed = known.clone()
    changed[:, 2] += 1.0
    moved = net(past, changed)[0] - net(past, known)[0]
    assert moved.shape == ((3, 5, 3) if levels is None else (3, 5, 3, 3))
    assert (moved[:, [0, 1, 3, 4]] == 0).all()
    share = net.known.weight.sum(dim=1)
    expected = share if levels is None else share[:, None]
    torch.testing.assert_close(moved[:, 2], expected.expand_as(moved[:, 2]), rtol=1e-4, atol=1e-5)


def test_quantiles_increase():
    past, known = make_rows()
    net = LinearForecaster(4, 2, 3, 5, 7, QuantileHead(i / 10 for i in range(1, 10)))
    assert (net(100 * past, known)[0].diff(dim=-1) >= 0).all()
