"""Real and generated panels."""

from skts.datasets._la_haute_borne import load_la_haute_borne
from skts.datasets._make_panel import make_panel
from skts.datasets._make_weather_farm import make_weather_farm
from skts.datasets._write_weather_farm import write_weather_farm

__all__ = ["load_la_haute_borne", "make_panel", "make_weather_farm", "write_weather_farm"]
