import numpy as np
import pytest
from scipy.stats import gumbel_r

from skts.inspection.drift._judge import explain, find_change, judge
from skts.inspection.drift._null import Null, fit_gumbel, share_of_variance
from tests.inspection.drift._worlds import autoregress


def test_the_fit_finds_the_gumbel_distribution_that_was_drawn():
    place, scale = fit_gumbel(gumbel_r.rvs(3.0, 0.5, size=20_000, random_state=0))
    assert place == pytest.approx(3.0, abs=0.02)
    assert scale == pytest.approx(0.5, abs=0.02)
    assert np.isnan(fit_gumbel(np.arange(7.0))).all()


def test_limit_and_p_value_are_two_sides_of_one():
    null = Null.learn(np.random.default_rng(0).normal(size=(50, 30)), 0.01)
    assert null.p_value(np.array([null.limit(0.05, 12)]), 12) == pytest.approx(0.05)
    assert null.limit(0.05, 1) < null.limit(0.05, 12)


def test_a_block_of_training_is_scored_by_the_others():
    blocks = np.random.default_rng(1).normal(size=(20, 1))
    null = Null.learn(blocks, 0.01, both_sides=False)
    by_hand = []
    for i in range(20):
        others = np.delete(blocks[:, 0], i)
        by_hand.append((blocks[i, 0] - others.mean()) / (others.std(ddof=1) * np.sqrt(1 + 1 / 19)))
    assert (null.place, null.scale) == pytest.approx(fit_gumbel(np.array(by_hand)))


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_the_mean_of_blocks_strays_as_that_of_an_autoregression(phi):
    means = autoregress(np.random.default_rng(0), (6, 40_000), phi).mean(axis=0)
    assert share_of_variance(np.float64(6), phi) == pytest.approx(means.var(), rel=0.05)


@pytest.mark.parametrize("n_units", [1, 40])
def test_blocks_that_are_alike_are_out_of_their_bands_as_rarely_as_stated(n_units):
    rng = np.random.default_rng(0)
    n_false = 0
    for _ in range(400):
        shared = rng.normal(size=(56, 1))
        blocks = 0.7 * shared + 0.7 * rng.normal(size=(56, n_units))
        n_false += judge("level", blocks[:52], blocks[52:], 0.05, 1).alarm.any()
    assert 4 <= n_false <= 33  # 20 are expected, and 33 exceeded once in a thousand times


def test_a_slow_drift_that_no_block_shows_is_in_all_together():
    rng = np.random.default_rng(0)
    found = judge("level", rng.normal(size=(52, 3)), rng.normal(size=(8, 3)) * 0.3 + [0, 2.2, 0], 0.05, 1)
    assert found.alarm.tolist() == [False, True, False]
    assert found.low[1] < 0 < found.high[1] < 2 < found.value[1]


@pytest.mark.parametrize("begin", [0, 9, 17])
def test_a_change_is_found_at_its_day(begin):
    days = np.random.default_rng(0).normal(scale=0.3, size=28)
    days[begin:] -= 2
    days[3] = np.nan
    end = min(begin // 7 * 7 + 14, 28)
    assert find_change(days, 0.0, end, 7) == begin


def test_what_the_size_of_the_forecasts_explains_is_no_alarm_and_widens_no_band():
    rng = np.random.default_rng(0)
    sizes = np.exp(rng.normal(size=(60, 3)))
    errors = sizes**0.5 * np.exp(0.05 * rng.normal(size=(60, 3)))
    known, new, both = errors[:52], errors[52:] * [1, 1.5, 1], (sizes[:52], sizes[52:])
    assert judge("error", known, new, 0.05, 1, both).alarm.tolist() == [False, True, False]
    assert not judge("error", known, new, 0.05, 1).alarm.any()
    known_part, new_part = explain(np.log(known), *both)
    assert np.ptp(np.log(known) - known_part) < 0.5 < np.ptp(np.log(known))
    assert new_part.min() >= known_part.min()
    assert not any(part.any() for part in explain(np.log(known), np.ones((52, 3)), np.ones((8, 3))))


def test_what_never_changes_is_in_its_band_and_what_then_does_is_not():
    same = np.ones((20, 1))
    assert not judge("level", same, same[:2], 0.05, 1).alarm[0]
    assert judge("level", same, same[:2] + 1, 0.05, 1).alarm[0]
    assert np.isnan(judge("level", same[:7], same[:2], 0.05, 1).p_value[0])
