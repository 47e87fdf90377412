"""What data are worth, what forecasts rest on and what they must not, and pictures of both."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
