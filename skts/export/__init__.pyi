from ._onnx_forecaster import OnnxForecaster
from ._to_onnx import to_onnx
from ._to_torch_export import to_torch_export

__all__ = ["OnnxForecaster", "to_onnx", "to_torch_export"]
