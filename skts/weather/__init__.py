"""Weather as it arrives: from the runs of providers, in files and on grids, to a table with runs."""

from skts.weather._join_runs import join_runs

__all__ = ["join_runs"]
