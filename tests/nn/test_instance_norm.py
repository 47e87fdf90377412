from functools import partial

import pytest
import torch

from skts.nn import EncoderDecoder, InstanceNorm, LinearForecaster

KINDS = ["last", "mean", "median"]
LEVELS = (0.1, 0.5, 0.9)
SLOPE, OFFSET = torch.tensor([-0.5, 2.0]), torch.tensor([7.0, -1.0])  # of two targets, in the columns 2 and 0 of three


def make_norm(kind, levels=None, n_known=1, network=None):
    torch.manual_seed(0)
    network = network or partial(EncoderDecoder, 3, n_known, 2, 4, hidden_size=5, levels=levels)
    return InstanceNorm(network, kind, [2, 0], SLOPE.tolist(), OFFSET.tolist())


def moments(rows, kind):
    """Level and scale of each window (B, W, T), both (B, 1, T)."""
    if kind == "last":
        return rows[:, -1:], torch.ones(2, 1, 2)
    if kind == "mean":
        level = rows.sum(dim=1, keepdim=True) / rows.shape[1]
        return level, ((rows - level).square().mean(dim=1, keepdim=True) + 1e-5 / SLOPE**2).sqrt()
    level = rows.sort(dim=1).values[:, (rows.shape[1] - 1) // 2][:, None]
    return level, (rows - level).abs().mean(dim=1, keepdim=True) + 0.1 / SLOPE.abs()


def make_rows(n_rows=6):
    generator = torch.Generator().manual_seed(1)
    return {
        "past": 3 * torch.randn(2, n_rows, 3, generator=generator),
        "future": torch.randn(2, n_rows - 2, 1, generator=generator),
    }


def per_target(values, levels):
    return values if levels is None else values[:, None]


@pytest.mark.parametrize("levels", [None, LEVELS])
@pytest.mark.parametrize("kind", KINDS)
def test_a_window_that_lies_higher_is_forecast_as_much_higher(kind, levels):
    norm, rows = make_norm(kind, levels), make_rows()
    shift = torch.tensor([40.0, -7.0])  # of the columns 2 and 0
    higher = rows["past"].clone()
    higher[:, :, [2, 0]] += shift
    moved = norm(**rows | {"past": higher}) - norm(**rows)
    expected = per_target(SLOPE * shift, levels).expand_as(moved)
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("levels", [None, LEVELS])
def test_a_window_that_swings_wider_is_forecast_as_much_wider(levels):
    norm, rows = make_norm("mean", levels), make_rows()
    level = rows["past"][:, :, [2, 0]].mean(dim=1)  # (B, T)
    wider = rows["past"].clone()
    wider[:, :, [2, 0]] += 9 * (wider[:, :, [2, 0]] - level[:, None])
    flat = (level * SLOPE + OFFSET)[:, None] if levels is None else (level * SLOPE + OFFSET)[:, None, :, None]
    torch.testing.assert_close(norm(**rows | {"past": wider}) - flat, 10 * (norm(**rows) - flat), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_level_and_scale_are_taken_off_and_given_back(kind):
    norm, rows = make_norm(kind), make_rows()
    level, scale = moments(rows["past"][:, :, [2, 0]], kind)
    past = rows["past"].clone()
    past[:, :, [2, 0]] = (past[:, :, [2, 0]] - level) / scale
    expected = norm.network(past, rows["future"]) * SLOPE.abs() * scale + SLOPE * level + OFFSET
    torch.testing.assert_close(norm(**rows), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["mean", "median"])
def test_the_units_of_the_column_do_not_count(kind):
    norm, rows = make_norm(kind), make_rows()
    rows["past"] *= 0.05  # quiet windows, for which what is added to the scale counts
    forecast, other = norm(**rows), rows["past"].clone()
    units = torch.tensor([1e3, 1e-2])
    other[:, :, [2, 0]] *= units
    norm.slope /= units
    torch.testing.assert_close(norm(**rows | {"past": other}), forecast, rtol=1e-4, atol=1e-4)


class Forecasts(torch.nn.Module):
    """Answer what it was told to, and keep what it was given."""

    def __init__(self, forecast):
        super().__init__()
        self.forecast = forecast

    def forward(self, past, **others):
        self.given = past
        return self.forecast


@pytest.mark.parametrize("kind", KINDS)
def test_the_network_sees_the_target_on_its_own_scale_and_all_else_as_it_is(kind):
    rows = make_rows()
    norm, before = make_norm(kind, network=partial(Forecasts, torch.zeros(2, 4, 2))), rows["past"].clone()
    own = rows["past"][:, :, [2, 0]]
    level, scale = moments(own, kind)
    torch.testing.assert_close(norm(**rows), (SLOPE * level + OFFSET).expand(2, 4, 2))
    torch.testing.assert_close(norm.network.given[:, :, [2, 0]], (own - level) / scale)
    assert torch.equal(norm.network.given[:, :, 1], before[:, :, 1])
    assert torch.equal(rows["past"], before)


@pytest.mark.parametrize("kind", KINDS)
def test_quantiles_increase_whatever_the_sign_of_the_slope(kind):
    quantiles = make_norm(kind, LEVELS)(**make_rows())
    assert (quantiles.diff(dim=-1) > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_flat_windows_are_forecast_and_learned_from(kind):
    norm, rows = make_norm(kind), make_rows()
    rows["past"] = torch.full_like(rows["past"], 123.0).requires_grad_()
    forecast = norm(**rows)
    forecast.sum().backward()
    assert forecast.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in [*norm.parameters(), rows["past"]])
    torch.testing.assert_close(forecast, (123 * SLOPE + OFFSET).expand_as(forecast), rtol=0, atol=3.0)


@pytest.mark.parametrize("levels", [None, LEVELS])
@pytest.mark.parametrize("kind", KINDS)
def test_the_rows_before_the_first_origin_decide_for_all_of_a_pass(kind, levels):
    norm, rows = make_norm(kind, levels), make_rows(n_rows=8)
    origins = torch.ones(2, 3, dtype=torch.bool)
    level, scale = moments(rows["past"][:, :6, [2, 0]], kind)
    past = rows["past"].clone()
    past[:, :, [2, 0]] = (past[:, :, [2, 0]] - level) / scale
    inside = norm.network(past, rows["future"], origins=origins).unflatten(0, (2, 3))  # (B, O, H, T, Q)
    level, scale = (moment[:, None] if levels is None else moment[:, None, ..., None] for moment in (level, scale))
    slope, offset = (per_target(values, levels) for values in (SLOPE, OFFSET))
    expected = inside * scale * slope.abs() + level * slope + offset
    torch.testing.assert_close(norm(**rows, origins=origins).unflatten(0, (2, 3)), expected, rtol=1e-4, atol=1e-4)


def test_a_pass_of_one_origin_is_a_window():
    for kind in KINDS:
        norm, rows = make_norm(kind), make_rows()
        origins = torch.ones(2, 1, dtype=torch.bool)
        torch.testing.assert_close(norm(**rows, origins=origins), norm(**rows), rtol=0, atol=0)


def test_a_linear_map_inside_is_nlinear():
    norm, rows = make_norm("last", network=partial(LinearForecaster, 3, 1, 2, 4, 6)), make_rows()
    last = rows["past"][:, -1, [2, 0]]
    past = rows["past"].clone()
    past[:, :, [2, 0]] -= last[:, None]
    linear = norm.network
    mapped = (past.flatten(1) @ linear.past.weight.T + linear.past.bias).reshape(2, 4, 2)
    inside = mapped + rows["future"] @ linear.ahead.weight.T
    torch.testing.assert_close(norm(**rows), inside * SLOPE.abs() + (last * SLOPE + OFFSET)[:, None])
