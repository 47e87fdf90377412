"""Heads: the last layer of a network, its loss, and what a forecast is."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
