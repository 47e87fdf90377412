"""The estimators: the only place that sees both arrays and networks."""

from skts.regressors._lstm_regressor import LSTMRegressor

__all__ = ["LSTMRegressor"]
