import pytest
import torch

from skts.nn import EncoderDecoder, QuantileHead

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@pytest.mark.parametrize("levels", [LEVELS, (0.5,), (0.1, 0.5), tuple(i / 100 for i in range(1, 100))])
def test_quantiles_never_cross(levels):
    torch.manual_seed(0)
    head = QuantileHead(8, 3, levels)
    with torch.no_grad():
        head.linear.weight *= 30
    quantiles = head(torch.randn(50, 7, 8) * 10)
    assert quantiles.shape == (50, 7, 3, len(levels))
    assert (quantiles.diff(dim=-1) >= 0).all()


def test_they_start_as_those_of_a_normal_distribution():
    quantiles = QuantileHead(4, 1, LEVELS)(torch.zeros(1, 4))[0, 0]
    expected = torch.special.ndtri(torch.tensor(LEVELS))
    torch.testing.assert_close((quantiles - quantiles[2]).detach(), expected, atol=0.8, rtol=0)
    assert quantiles[-1] - quantiles[0] > 2


def test_the_network_answers_them_with_and_without_known_columns():
    past, future = torch.randn(2, 6, 3), torch.randn(2, 4, 1)
    assert EncoderDecoder(3, 1, 2, 4, hidden_size=5, levels=LEVELS)(past, future).shape == (2, 4, 2, 5)
    assert EncoderDecoder(3, 0, 2, 4, hidden_size=5, levels=LEVELS)(past).shape == (2, 4, 2, 5)
