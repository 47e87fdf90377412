"""The transformer beside the recurrent network in all accuracy benchmarks: one table from their results.

Run: python benchmarks/accuracy/transformer.py, after the four benchmarks.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import Parser, markdown, number_of, write_page
from benchmarks.accuracy._fits import Results

TRANSFORMER = "transformer"
ROWS = [  # benchmark, what it is called, the parts that are averaged, the recurrent network, both scores, digits
    ("la_haute_borne", "the last 59 days, RMSE in %", ["last 59 days"], "lstm", ("rmse", "rmse"), 2),
    ("la_haute_borne", "the last year, RMSE in %", ["last year"], "lstm", ("rmse", "rmse"), 2),
    ("gefcom2014", "pinball loss of six months", None, "lstm + forest", ("loss of lstm", "loss"), 5),
    ("epf", "MAE of five markets", None, "lstm", ("mae", "mae"), 4),
    ("epf", "MSE of five markets", None, "lstm", ("mse", "mse"), 4),
    ("etth1", "MSE, lookback 96", ["96 to 96", "96 to 192"], "gru", ("mse", "mse"), 4),
    ("etth1", "MSE, lookback 336", ["336 to 96", "336 to 192"], "gru", ("mse", "mse"), 4),
]


def mean_of(results, model, parts, score):
    """Average a score over the seeds of every part, and then over the parts; the deviation is that over seeds."""
    runs = [each for each in results.records if each["model"] == model and (parts is None or each["part"] in parts)]
    by_seed = {}
    for run in runs:
        by_seed.setdefault(run["seed"], []).append(run[score])
    means = [sum(scores) / len(scores) for scores in by_seed.values()]
    return sum(means) / len(means), len(means)


def make_table(folder):
    """Write a row for each benchmark."""
    rows = []
    for name, what, parts, recurrent, scores, digits in ROWS:
        results = Results.read(name, folder)
        (usual, _), (ours, n_seeds) = (
            mean_of(results, model, parts, score) for model, score in zip((recurrent, TRANSFORMER), scores, strict=True)
        )
        link = f"[{name}]({name}.md)"
        cells = [number_of(each, digits) for each in (usual, ours)]
        rows.append([link, what, recurrent.split(" + ")[0], *cells, f"{ours / usual - 1:+.1%}", n_seeds])
    head = ["benchmark", "score", "recurrent network", "its score", "transformer", "difference", "seeds"]
    return markdown(head, rows)


def main():
    """Write the page."""
    options = Parser(__doc__).parse_args()
    table = make_table(options.output)
    print(table)
    write_page("accuracy/transformer.md", {"results": table}, options.output)


if __name__ == "__main__":
    main()
