import numpy as np
import torch
from sklearn.metrics import mean_pinball_loss

from skts.nn import PinballLoss

LEVELS = (0.1, 0.5, 0.8)


def test_it_equals_scikit_learn():
    rng = np.random.default_rng(0)
    targets, quantiles = rng.standard_normal(20), rng.standard_normal((20, 3))
    expected = np.mean([mean_pinball_loss(targets, quantiles[:, i], alpha=level) for i, level in enumerate(LEVELS)])
    tensors = torch.tensor(quantiles, dtype=torch.float32), torch.tensor(targets, dtype=torch.float32)
    np.testing.assert_allclose(PinballLoss(LEVELS)(*tensors), expected, rtol=1e-5)
    each = PinballLoss(LEVELS, reduction="none")(*tensors)
    assert each.shape == (20,)
    np.testing.assert_allclose(each.mean(), expected, rtol=1e-5)
