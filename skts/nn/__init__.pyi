from ._attention_scores import attention_parts, attention_scores
from ._encoder_decoder import Cell, EncoderDecoder
from ._forecaster import Forecaster, State
from ._instance_norm import InstanceNorm
from ._linear_forecaster import LinearForecaster
from ._mlp import MLP
from ._source_attention import SourceAttention
from ._transformer import Transformer
from .heads import (
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
