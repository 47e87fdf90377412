"""What the tests of the command share."""

from skts.datasets import make_panel

WHO = ["--time", "time", "--series", "station", "--target", "power"]
JOB = [*WHO, "--known", "wind", "--window", "24", "--horizon", "6", "--quick"]


def make_table():
    """Two stations, 240 hours, without an index, as a file holds it."""
    X, _ = make_panel(n_series=2, n_rows=240, random_state=0)
    return X.reset_index()


def write(table, path):
    table.to_parquet(path, index=False) if path.suffix == ".parquet" else table.to_csv(path, index=False)
    return str(path)
