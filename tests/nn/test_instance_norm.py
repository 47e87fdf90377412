from functools import partial

import pytest
import torch

from skts.nn import EncoderDecoder, InstanceNorm, LinearForecaster, PointHead, QuantileHead

KINDS = ["last", "mean", "median"]
LEVELS = (0.1, 0.5, 0.9)
SLOPE, OFFSET = torch.tensor([-0.5, 2.0]), torch.tensor([7.0, -1.0])  # of two targets, in the columns 2 and 0 of three


def make_norm(kind, levels=None, network=None):
    torch.manual_seed(0)
    head = PointHead() if levels is None else QuantileHead(levels)
    network = network or partial(EncoderDecoder, 3, 1, 2, 4, head=head, hidden_size=5)
    return InstanceNorm(network, head, kind, [2, 0], SLOPE.tolist(), OFFSET.tolist())


def moments(past, kind):
    """Level and scale of the targets' past in each window (B, W, F), in units of the targets, both (B, 1, T)."""
    rows = past[:, :, [2, 0]] * SLOPE + OFFSET
    if kind == "last":
        return rows[:, -1:], torch.ones(2, 1, 2)
    if kind == "mean":
        level = rows.sum(dim=1, keepdim=True) / rows.shape[1]
        return level, ((rows - level).square().mean(dim=1, keepdim=True) + 1e-5).sqrt()
    level = rows.sort(dim=1).values[:, (rows.shape[1] - 1) // 2][:, None]  # the lower one of two, whatever the slope
    return level, (rows - level).abs().mean(dim=1, keepdim=True) + 0.1


def normalise(past, kind):
    """What the network inside shall see."""
    level, scale = moments(past, kind)
    inside = past.clone()
    inside[:, :, [2, 0]] = (past[:, :, [2, 0]] * SLOPE + OFFSET - level) / scale
    return inside, level, scale


def make_rows(n_rows=6):
    generator = torch.Generator().manual_seed(1)
    return {
        "past": 3 * torch.randn(2, n_rows, 3, generator=generator),
        "known": torch.randn(2, n_rows - 2, 1, generator=generator),
    }


def forecast(norm, rows):
    return norm(**rows)[0]


def per_target(values, levels):
    return values if levels is None else values[:, None]


@pytest.mark.parametrize("levels", [None, LEVELS])
@pytest.mark.parametrize("kind", KINDS)
def test_a_window_that_lies_higher_is_forecast_as_much_higher(kind, levels):
    norm, rows = make_norm(kind, levels), make_rows()
    shift = torch.tensor([40.0, -7.0])  # of the columns 2 and 0
    higher = rows["past"].clone()
    higher[:, :, [2, 0]] += shift
    moved = forecast(norm, rows | {"past": higher}) - forecast(norm, rows)
    expected = per_target(SLOPE * shift, levels).expand_as(moved)
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("levels", [None, LEVELS])
def test_each_series_is_read_and_forecast_in_its_own_mean_and_deviation(levels):
    head = PointHead() if levels is None else QuantileHead(levels)
    by_series = torch.tensor([[4.0, -1.0], [0.5, 2.0]]), torch.tensor([[3.0, 0.2], [7.0, 1.0]])  # (S, T)
    network = partial(EncoderDecoder, 3, 1, 2, 4, head=head, hidden_size=5)
    torch.manual_seed(0)
    norm = InstanceNorm(network, head, "series", [2, 0], SLOPE.tolist(), OFFSET.tolist(), by_series)
    rows = {name: torch.cat([each, each[:1]]) for name, each in make_rows().items()}
    level = torch.tensor([[[0.5, 2.0]], [[0.0, 0.0]], [[4.0, -1.0]]])  # of series 1, an unknown one and 0: (B, 1, T)
    scale = torch.tensor([[[7.0, 1.0]], [[1.0, 1.0]], [[3.0, 0.2]]])
    inside = rows["past"].clone()
    inside[:, :, [2, 0]] = (inside[:, :, [2, 0]] * SLOPE + OFFSET - level) / scale
    expected = head.rescale(norm.network(inside, rows["known"])[0], scale, level)
    found = norm(**rows, series=torch.tensor([1, -1, 0]))[0]
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("levels", [None, LEVELS])
def test_a_window_that_swings_wider_is_forecast_as_much_wider(levels):
    norm, rows = make_norm("mean", levels), make_rows()
    level = rows["past"][:, :, [2, 0]].mean(dim=1)  # (B, T)
    wider = rows["past"].clone()
    wider[:, :, [2, 0]] += 9 * (wider[:, :, [2, 0]] - level[:, None])
    flat = (level * SLOPE + OFFSET)[:, None] if levels is None else (level * SLOPE + OFFSET)[:, None, :, None]
    swings = forecast(norm, rows) - flat
    torch.testing.assert_close(forecast(norm, rows | {"past": wider}) - flat, 10 * swings, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_level_and_scale_are_taken_off_and_given_back(kind):
    norm, rows = make_norm(kind), make_rows()
    inside, level, scale = normalise(rows["past"], kind)
    expected = norm.network(inside, rows["known"])[0] * scale + level
    torch.testing.assert_close(forecast(norm, rows), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_unit_of_the_column_does_not_count(kind):
    norm, rows = make_norm(kind), make_rows()
    rows["past"] *= 0.05  # quiet windows, for which what is added to the scale counts
    before, other = forecast(norm, rows), rows["past"].clone()
    unit = torch.tensor([1e3, 1e-2])
    other[:, :, [2, 0]] *= unit
    norm.slope /= unit
    torch.testing.assert_close(forecast(norm, rows | {"past": other}), before, rtol=1e-4, atol=1e-4)


class Forecasts(torch.nn.Module):
    """Give what it was made with, and keep what it was given."""

    def __init__(self, forecast):
        super().__init__()
        self.forecast = forecast

    def forward(self, past, known=None, series=None, state=None):
        self.given = past
        return self.forecast, None


@pytest.mark.parametrize("kind", KINDS)
def test_the_network_sees_the_target_on_its_own_scale_and_all_else_as_it_is(kind):
    rows = make_rows()
    norm, before = make_norm(kind, network=partial(Forecasts, torch.zeros(2, 4, 2))), rows["past"].clone()
    inside, level, _ = normalise(rows["past"], kind)
    torch.testing.assert_close(forecast(norm, rows), level.expand(2, 4, 2))
    torch.testing.assert_close(norm.network.given, inside)
    torch.testing.assert_close(norm.normalise(rows["past"]), inside)
    assert torch.equal(norm.network.given[:, :, 1], before[:, :, 1])
    assert torch.equal(rows["past"], before)


@pytest.mark.parametrize("kind", KINDS)
def test_quantiles_increase_whatever_the_sign_of_the_slope(kind):
    quantiles = forecast(make_norm(kind, LEVELS), make_rows())
    assert (quantiles.diff(dim=-1) > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_flat_windows_are_forecast_and_learned_from(kind):
    norm, rows = make_norm(kind), make_rows()
    rows["past"] = torch.full_like(rows["past"], 123.0).requires_grad_()
    found = forecast(norm, rows)
    found.sum().backward()
    assert found.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in [*norm.parameters(), rows["past"]])
    torch.testing.assert_close(found, (123 * SLOPE + OFFSET).expand_as(found), rtol=0, atol=3.0)


def test_a_linear_map_inside_is_nlinear():
    norm, rows = make_norm("last", network=partial(LinearForecaster, 3, 1, 2, 4, 6)), make_rows()
    last = rows["past"][:, -1, [2, 0]]
    past = rows["past"].clone()
    past[:, :, [2, 0]] = (past[:, :, [2, 0]] - last[:, None]) * SLOPE
    linear = norm.network
    mapped = (past.flatten(1) @ linear.past.weight.T + linear.past.bias).reshape(2, 4, 2)
    inside = mapped + rows["known"] @ linear.known.weight.T
    torch.testing.assert_close(forecast(norm, rows), inside + (last * SLOPE + OFFSET)[:, None])


@pytest.mark.parametrize("kind", KINDS)
def test_it_serves_one_origin_and_reads_what_its_network_reads(kind):
    network = partial(
        EncoderDecoder, 3, 1, 2, 4, n_series=2, hidden_size=5, lookahead=2, series_embedding=2, n_static=1
    )
    norm = make_norm(kind, network=network)
    assert not norm.causal
    assert norm.whole_window == f"instance_norm='{kind}'"
    assert (norm.lookahead, norm.reads_series, norm.reads_static) == (2, True, True)
    plain = make_norm(kind, network=partial(Forecasts, torch.zeros(2, 4, 2)))
    assert (plain.lookahead, plain.reads_series, plain.reads_static) == (0, False, False)
