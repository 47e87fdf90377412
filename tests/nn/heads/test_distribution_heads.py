"""Heads that forecast distributions, held against SciPy's, against scoringrules and numerical integration."""

import numpy as np
import pytest
import scoringrules
import torch
from scipy import stats
from scipy.integrate import quad

from skts.nn import CensoredNormalHead, InflatedBetaHead, NormalHead, StudentTHead, excuse_beyond

FREE = [NormalHead(), NormalHead("likelihood"), StudentTHead(), StudentTHead("likelihood")]
BOUNDED = [CensoredNormalHead(), CensoredNormalHead("likelihood"), InflatedBetaHead()]
N_NUMBERS = {NormalHead: 2, StudentTHead: 3, CensoredNormalHead: 2, InflatedBetaHead: 4}
LEVELS = [0.001, 0.05, 0.3, 0.5, 0.9, 0.999]
LOW, HIGH = -0.7, 1.9


def freedom(number):
    return 2 + 58 / (1 + np.exp(-number))


def draw_forecasts(head, n=6, seed=0):
    """Locations within and beyond the bounds, scales from narrow to wide, and shapes."""
    rng = np.random.default_rng(seed)
    first = [np.linspace(-2, 3, n), np.geomspace(0.2, 2, n)[rng.permutation(n)]]
    return np.stack([*first, *rng.normal(0, 1.5, (N_NUMBERS[type(head)] - 2, n))], axis=1)


def distribution_function(head, numbers, at_high=np.greater_equal):
    """The distribution function that SciPy gives, of what is censored or inflated too."""
    location, scale, *shapes = numbers
    if isinstance(head, StudentTHead):
        return stats.t(freedom(shapes[0]), location, scale).cdf
    if isinstance(head, CensoredNormalHead):
        latent = stats.norm(location, scale).cdf
        return lambda x: np.where(x < LOW, 0.0, np.where(at_high(x, HIGH), 1.0, latent(x)))
    if isinstance(head, NormalHead):
        return stats.norm(location, scale).cdf
    width = HIGH - LOW
    mean, precision = 1 / (1 + np.exp(-4 * (location - (LOW + HIGH) / 2) / width)), (width / 2 / scale) ** 2
    odds = np.exp([(LOW - location) / scale + shapes[0], 0, (location - HIGH) / scale + shapes[1]])
    below, between, _ = odds / odds.sum()
    inside = stats.beta(mean * precision, (1 - mean) * precision, LOW, width).cdf
    return lambda x: np.where(x < LOW, 0.0, np.where(at_high(x, HIGH), 1.0, below + between * inside(x)))


def crps(cdf, truth, low=-np.inf, high=np.inf):
    below = quad(lambda x: float(cdf(x)) ** 2, low, truth, limit=200)[0] if truth > low else 0.0
    return below + (quad(lambda x: (1 - float(cdf(x))) ** 2, truth, high, limit=200)[0] if truth < high else 0.0)


def bounds(dtype=torch.float64):
    return torch.tensor(LOW, dtype=dtype), torch.tensor(HIGH, dtype=dtype)


def loss_of(head, forecast, truth, *limits):
    criterion, arguments = head.make_criterion()
    return criterion(**arguments, reduction="none")(forecast, truth, *limits)


def quantiles(head, forecast, levels):
    return head.quantiles_within(forecast, levels, LOW, HIGH) if head in BOUNDED else head.quantiles(forecast, levels)


@pytest.mark.parametrize("head", [NormalHead(), StudentTHead()], ids=repr)
@pytest.mark.parametrize("truth", [-6.0, -0.3, 1.2, 4.0])
def test_the_crps_is_the_integral_that_defines_it(head, truth):
    forecasts = draw_forecasts(head)
    found = loss_of(head, torch.from_numpy(forecasts), torch.tensor(truth, dtype=torch.float64))
    np.testing.assert_allclose(found, [crps(distribution_function(head, row), truth) for row in forecasts], rtol=1e-5)


@pytest.mark.parametrize("truth", [LOW, -0.3, 1.2, HIGH])
def test_the_censored_crps_is_the_integral_between_the_bounds_and_a_share_of_the_likelihood(truth):
    head, forecasts = CensoredNormalHead(), draw_forecasts(CensoredNormalHead())
    own, truths = torch.from_numpy(forecasts), torch.tensor(truth, dtype=torch.float64)
    likelihood = loss_of(CensoredNormalHead("likelihood"), own, truths, *bounds())
    found = loss_of(head, own, truths, *bounds()) - 0.01 * likelihood
    expected = [crps(distribution_function(head, row), truth, LOW, HIGH) for row in forecasts]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("truth", [-0.5, 0.4, 1.7])
def test_the_crps_is_that_of_scoringrules(truth):
    truths = torch.tensor(truth, dtype=torch.float64)
    for head in (NormalHead(), StudentTHead(), CensoredNormalHead()):
        forecasts = draw_forecasts(head)
        limits = bounds() if head in BOUNDED else ()
        found = loss_of(head, torch.from_numpy(forecasts), truths, *limits).numpy()
        location, scale, *shapes = forecasts.T
        if isinstance(head, StudentTHead):
            expected = scoringrules.crps_t(truth, freedom(shapes[0]), location, scale)
        elif isinstance(head, CensoredNormalHead):
            expected = scoringrules.crps_cnormal(truth, location, scale, LOW, HIGH)
            alone = CensoredNormalHead("likelihood")
            expected = expected + 0.01 * loss_of(alone, torch.from_numpy(forecasts), truths, *limits).numpy()
        else:
            expected = scoringrules.crps_normal(truth, location, scale)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("truth", [LOW, 0.4, HIGH])
def test_quantiles_of_all_levels_score_as_scoringrules_says(truth):
    levels = (np.arange(4000) + 0.5) / 4000
    for head in (NormalHead(), StudentTHead(), CensoredNormalHead(), InflatedBetaHead()):
        forecasts = draw_forecasts(head)
        answers = quantiles(head, forecasts, levels)
        found = 2 * np.where(truth >= answers, levels, levels - 1) * (truth - answers)
        location, scale, *shapes = forecasts.T
        if isinstance(head, StudentTHead):
            expected = scoringrules.crps_t(truth, freedom(shapes[0]), location, scale)
        elif isinstance(head, CensoredNormalHead):
            expected = scoringrules.crps_cnormal(truth, location, scale, LOW, HIGH)
        elif isinstance(head, NormalHead):
            expected = scoringrules.crps_normal(truth, location, scale)
        else:  # of no package: the ensemble of all its quantiles
            expected = scoringrules.crps_ensemble(np.full(len(answers), truth), answers, estimator="pwm")
        np.testing.assert_allclose(found.mean(axis=1), expected, rtol=5e-3, atol=1e-4)


@pytest.mark.parametrize("freedom", [2.01, 3.0, 7.5, 60.0])
def test_the_crps_of_t_holds_for_all_degrees_of_freedom_far_out_and_in_float32(freedom):
    number = np.log((freedom - 2) / (60 - freedom)) if freedom < 60 else 30.0
    for truth in (0.0, 0.5, 12.0, 300.0):
        found = loss_of(StudentTHead(), torch.tensor([0.0, 1.0, number]), torch.tensor(truth))
        assert found.item() == pytest.approx(crps(stats.t(freedom).cdf, truth), rel=2e-5, abs=2e-5)


@pytest.mark.parametrize("truth", [-3.0, 0.2, 2.0])
def test_the_likelihood_is_that_of_scipy(truth):
    for head, law in ((FREE[1], lambda m, s: stats.norm(m, s)), (FREE[3], lambda m, s, v: stats.t(freedom(v), m, s))):
        forecasts = draw_forecasts(head)
        found = loss_of(head, torch.from_numpy(forecasts), torch.tensor(truth, dtype=torch.float64))
        np.testing.assert_allclose(found, [-law(*row).logpdf(truth) for row in forecasts], rtol=1e-6)


@pytest.mark.parametrize("head", BOUNDED[1:], ids=repr)
def test_the_likelihood_of_a_bound_is_its_probability_and_between_them_the_density(head):
    forecasts, step = draw_forecasts(head), 1e-5
    for truth in (LOW, 0.2, 1.1, HIGH):
        found = loss_of(head, torch.from_numpy(forecasts), torch.tensor(truth, dtype=torch.float64), *bounds())
        for row, loss in zip(forecasts, found, strict=True):
            cdf = distribution_function(head, row)
            if truth in (LOW, HIGH):
                expected = cdf(LOW) if truth == LOW else 1 - distribution_function(head, row, at_high=np.greater)(HIGH)
            else:
                expected = (cdf(truth + step) - cdf(truth - step)) / (2 * step)
            assert np.exp(-loss.item()) == pytest.approx(float(expected), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("head", [*FREE, *BOUNDED], ids=repr)
def test_quantiles_are_exact_increase_and_keep_the_bounds(head):
    forecasts = draw_forecasts(head)
    found = quantiles(head, forecasts, LEVELS)
    assert (np.diff(found, axis=1) >= 0).all()
    for row, values in zip(forecasts, found, strict=True):
        cdf = distribution_function(head, row)
        if head in BOUNDED:
            assert (values >= LOW).all()
            assert (values <= HIGH).all()
        for level, value in zip(LEVELS, values, strict=True):
            assert cdf(value + 1e-7) >= level - 1e-6
            assert cdf(value - 1e-7) <= level + 1e-6


@pytest.mark.parametrize("head", [FREE[0], FREE[2], *BOUNDED[1:]], ids=repr)
def test_the_point_is_the_mean_of_what_is_drawn(head):
    forecasts = draw_forecasts(head)
    levels = (np.arange(4000) + 0.5) / 4000
    point = head.point_within(forecasts, LOW, HIGH) if head in BOUNDED else head.point(forecasts)
    np.testing.assert_allclose(point, quantiles(head, forecasts, levels).mean(axis=1), atol=0.01)


@pytest.mark.parametrize("head", [*FREE, *BOUNDED], ids=repr)
def test_what_is_rescaled_is_the_forecast_of_the_rescaled_target(head):
    forecasts, scale, level = draw_forecasts(head), np.full(6, 2.5), np.full(6, -4.0)
    moved, limits = head.rescale(forecasts, scale, level), (2.5 * LOW - 4, 2.5 * HIGH - 4)
    if head in BOUNDED:
        found = head.quantiles_within(moved, LEVELS, *limits)
        np.testing.assert_allclose(
            head.point_within(moved, *limits), 2.5 * head.point_within(forecasts, LOW, HIGH) - 4, rtol=1e-9
        )
    else:
        found = head.quantiles(moved, LEVELS)
    np.testing.assert_allclose(found, 2.5 * quantiles(head, forecasts, LEVELS) - 4, rtol=1e-9)
    tensors = [torch.from_numpy(part) for part in (forecasts, scale, level)]
    np.testing.assert_allclose(head.rescale(*tensors), moved)


@pytest.mark.parametrize("head", [*FREE, *BOUNDED], ids=repr)
def test_every_head_keeps_its_contract_of_shapes_and_its_gradient_is_finite(head):
    layer, n = head.make_layer(5, 2), N_NUMBERS[type(head)]
    forecast = layer(10 * torch.randn(40, 3, 5))
    assert forecast.shape == (40, 3, 2, n)
    assert (forecast[..., 1] > 0).all()
    limits = bounds(torch.float32) if head in BOUNDED else ()
    for truth in (LOW, 0.0, HIGH):
        own = forecast.detach().requires_grad_()
        loss = loss_of(head, own, torch.full((40, 3, 2), truth), *limits)
        assert loss.shape == (40, 3, 2)
        loss.sum().backward()
        assert torch.isfinite(own.grad).all()
        assert torch.isfinite(loss).all()
    assert head.gives_quantiles


@pytest.mark.parametrize("head", [*FREE, *BOUNDED], ids=repr)
def test_training_finds_the_distribution_that_the_truths_are_drawn_from(head):
    rng = np.random.default_rng(0)
    latent = 0.2 + 0.8 * rng.standard_normal(4000)
    truths = torch.from_numpy(np.clip(latent, LOW, HIGH) if head in BOUNDED else latent).float()
    torch.manual_seed(0)
    layer, zeros = head.make_layer(1, 1), torch.zeros(4000, 1)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    limits = [part.expand(4000) for part in bounds(torch.float32)] if head in BOUNDED else []
    for _ in range(150):
        optimizer.zero_grad()
        loss_of(head, layer(zeros)[:, 0], truths, *limits).mean().backward()
        optimizer.step()
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    found = quantiles(head, layer(zeros[:1])[0].detach().double().numpy(), levels)[0]
    np.testing.assert_allclose(found, np.quantile(truths.numpy(), levels), atol=0.1)


def test_one_bound_may_be_infinite():
    head = CensoredNormalHead()
    forecast = torch.tensor([[0.3, 1.0]], requires_grad=True)
    limits = torch.tensor([0.0]), torch.tensor([np.inf])
    loss = loss_of(head, forecast, torch.tensor([0.0]), *limits)
    loss.backward(torch.ones(1))
    assert torch.isfinite(forecast.grad).all()
    draws = np.clip(0.3 + np.random.default_rng(0).standard_normal(200_000), 0, None)
    assert head.point_within(np.array([0.3, 1.0]), 0.0, np.inf) == pytest.approx(draws.mean(), abs=0.01)


def test_a_truth_within_the_bounds_calls_back_a_forecast_that_lies_beyond():
    for head in BOUNDED:
        start = [-9.0, 0.5, *[0.0] * (N_NUMBERS[type(head)] - 2)]
        forecast = torch.tensor([start], requires_grad=True)
        limits = [part[None] for part in bounds(torch.float32)]
        loss_of(head, forecast, torch.tensor([1.0]), *limits).sum().backward()
        assert forecast.grad[0, 0] < -1e-2


def test_beyond_a_bound_nothing_is_lost_where_the_truth_is_on_it():
    forecast = torch.tensor([[-3.0, -3.0, 0.5, 5.0, 5.0]], requires_grad=True)
    truths = torch.tensor([[LOW, 1.0, LOW, HIGH, 1.0]])
    lower, upper = (part.expand(1, 5) for part in bounds(torch.float32))
    met = excuse_beyond(forecast, truths, lower, upper)
    np.testing.assert_allclose(met.detach(), [[LOW, -3.0, 0.5, HIGH, 5.0]])
    met.sum().backward()
    np.testing.assert_array_equal(forecast.grad, [[0, 1, 1, 0, 1]])


@pytest.mark.parametrize("level", [0.0, 1.0, np.nan, -1])
@pytest.mark.parametrize("head", [FREE[0], FREE[2], *BOUNDED[1:]], ids=repr)
def test_levels_lie_within_0_and_1(head, level):
    with pytest.raises(ValueError, match="levels lie within 0 and 1"):
        quantiles(head, draw_forecasts(head), [0.5, level])


def test_heads_of_one_kind_are_equal_by_their_loss():
    assert NormalHead() == NormalHead("crps") != NormalHead("likelihood")
    assert InflatedBetaHead() == InflatedBetaHead()
    with pytest.raises(ValueError, match="'crps' or 'likelihood' is expected"):
        NormalHead("mse")
