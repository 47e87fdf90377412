"""The network: tensors in, tensors out; knows nothing else of skts."""

from skts.nn._attention_scores import attention_parts, attention_scores
from skts.nn._encoder_decoder import Cell, EncoderDecoder
from skts.nn._forecaster import Forecaster, State
from skts.nn._instance_norm import InstanceNorm
from skts.nn._linear_forecaster import LinearForecaster
from skts.nn._mlp import MLP
from skts.nn._source_attention import SourceAttention
from skts.nn._transformer import Transformer
from skts.nn.heads import (
    CensoredNormalHead,
    DistributionHead,
    Head,
    InflatedBetaHead,
    NormalHead,
    PointHead,
    QuantileHead,
    StudentTHead,
    excuse_beyond,
    interpolate_levels,
    sort_levels,
)

__all__ = [
    "MLP",
    "Cell",
    "CensoredNormalHead",
    "DistributionHead",
    "EncoderDecoder",
    "Forecaster",
    "Head",
    "InflatedBetaHead",
    "InstanceNorm",
    "LinearForecaster",
    "NormalHead",
    "PointHead",
    "QuantileHead",
    "SourceAttention",
    "State",
    "StudentTHead",
    "Transformer",
    "attention_parts",
    "attention_scores",
    "excuse_beyond",
    "interpolate_levels",
    "sort_levels",
]
