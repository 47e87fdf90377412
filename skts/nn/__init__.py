"""The network: tensors in, tensors out; knows nothing else of skts."""

from skts.nn._encoder_decoder import EncoderDecoder
from skts.nn._instance_norm import InstanceNorm
from skts.nn._linear_forecaster import LinearForecaster
from skts.nn._pinball_loss import PinballLoss
from skts.nn._quantile_head import QuantileHead
from skts.nn._recurrence import Cell

__all__ = ["Cell", "EncoderDecoder", "InstanceNorm", "LinearForecaster", "PinballLoss", "QuantileHead"]
