"""One adapter a library, in a file of its own; a library is imported where its adapter is asked for."""

from importlib import import_module
from importlib.util import find_spec

from benchmarks.adapters._contract import Adapter, Boostings, Plan, Task
from benchmarks.adapters._watch import Clock, Watch

_PLACES = {  # library: file and class of its adapter, packages that must be there
    "skts": ("_skts", "Skts", ()),
    "loop by hand": ("_handwritten", "Handwritten", ()),
    "skorch": ("_skorch", "Skorch", ("skorch",)),
    "darts": ("_darts", "Darts", ("darts", "pytorch_lightning")),
    "neuralforecast": ("_neuralforecast", "Neuralforecast", ("neuralforecast", "pytorch_lightning")),
    "LightGBM": ("_lightgbm", "LightGBM", ("lightgbm",)),
}


def load_adapter(library: str) -> type[Adapter]:
    """Import the adapter of a library."""
    file, name, _ = _PLACES[library]
    return getattr(import_module(f"{__name__}.{file}"), name)


def missing_packages(library: str) -> list[str]:
    """Name the packages of a library that are not installed."""
    return [package for package in _PLACES[library][2] if find_spec(package) is None]


__all__ = ["Adapter", "Boostings", "Clock", "Plan", "Task", "Watch", "load_adapter", "missing_packages"]
