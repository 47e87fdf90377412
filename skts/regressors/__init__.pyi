from ._dlinear_regressor import DLinearRegressor
from ._foundation_regressor import FoundationRegressor
from ._gru_regressor import GRURegressor
from ._lstm_regressor import LSTMRegressor
from ._net_regressor import NetRegressor
from ._nlinear_regressor import NLinearRegressor
from ._source_attention_regressor import SourceAttentionRegressor
from ._transformer_regressor import TransformerRegressor

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
