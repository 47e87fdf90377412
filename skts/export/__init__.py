"""A fitted pipeline as one graph of ONNX or torch.export, in the units of the table, and forecasts without torch."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
