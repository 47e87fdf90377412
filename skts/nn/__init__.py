"""The network: tensors in, tensors out; knows nothing else of skts."""

from skts.nn._encoder_decoder import EncoderDecoder
from skts.nn._pinball_loss import PinballLoss
from skts.nn._quantile_head import QuantileHead

__all__ = ["EncoderDecoder", "PinballLoss", "QuantileHead"]
