"""Real and generated panels."""

from skts.datasets._la_haute_borne import load_la_haute_borne
from skts.datasets._make_panel import make_panel

__all__ = ["load_la_haute_borne", "make_panel"]
