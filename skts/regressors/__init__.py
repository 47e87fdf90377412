"""The estimators: the only place that sees both arrays and networks."""

from skts.regressors._dlinear_regressor import DLinearRegressor
from skts.regressors._foundation_regressor import FoundationRegressor
from skts.regressors._gru_regressor import GRURegressor
from skts.regressors._lstm_regressor import LSTMRegressor
from skts.regressors._net_regressor import NetRegressor
from skts.regressors._nlinear_regressor import NLinearRegressor
from skts.regressors._source_attention_regressor import SourceAttentionRegressor
from skts.regressors._transformer_regressor import TransformerRegressor

__all__ = [
    "DLinearRegressor",
    "FoundationRegressor",
    "GRURegressor",
    "LSTMRegressor",
    "NLinearRegressor",
    "NetRegressor",
    "SourceAttentionRegressor",
    "TransformerRegressor",
]
