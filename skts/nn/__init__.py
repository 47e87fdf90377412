"""The network: tensors in, tensors out; knows nothing else of skts."""

from skts.nn._encoder_decoder import EncoderDecoder

__all__ = ["EncoderDecoder"]
