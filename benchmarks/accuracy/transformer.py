"""The transformer beside the recurrent network in all accuracy benchmarks: one table from their results.

Run: python benchmarks/accuracy/transformer.py, after the four benchmarks.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
from benchmarks._report import Parser, markdown, number_of, write_page
from benchmarks.accuracy._fits import Results

TRANSFORMER = "transformer"
ROWS = [  # benchmark, score, the parts that count (None for all), the recurrent network, both its names, digits
    ("la_haute_borne", "RMSE, %", ["last 59 days"], "lstm", ("rmse", "rmse"), 2),
    ("la_haute_borne", "RMSE, %", ["last year"], "lstm", ("rmse", "rmse"), 2),
    ("gefcom2014", "pinball loss", None, "lstm + forest", ("loss of lstm", "loss"), 5),
    ("epf", "MAE", None, "lstm", ("mae", "mae"), 4),
    ("epf", "MSE", None, "lstm", ("mse", "mse"), 4),
    ("etth1", "MSE", ["96 to 96", "96 to 192"], "gru", ("mse", "mse"), 4),
    ("etth1", "MSE", ["336 to 96", "336 to 192"], "gru", ("mse", "mse"), 4),
]


def make_table(folder):
    """Write a row for each benchmark: means over the parts that both have, of the mean over the seeds of each."""
    rows = []
    for name, what, parts, recurrent, (theirs, ours), digits in ROWS:
        results = Results.read(name, folder)
        usual, own = results.table(theirs).loc[recurrent], results.table(ours).loc[TRANSFORMER]
        both = [part for part in own.index if part in usual.index and (parts is None or part in parts)]
        if not both:
            continue
        means = usual["mean"][both].mean(), own["mean"][both].mean()
        link, seeds = f"[{name}]({name}.md)", f"{usual['count'][both].min()} and {own['count'][both].min()}"
        shown = [number_of(mean, digits) for mean in means]
        label = recurrent.split(" + ")[0]
        rows.append([link, what, ", ".join(both), label, *shown, f"{means[1] / means[0] - 1:+.1%}", seeds])
    head = ["benchmark", "score", "parts", "recurrent network", "its score", "transformer", "difference", "seeds"]
    return markdown(head, rows)


def main():
    """Write the page."""
    options = Parser(__doc__).parse_args()
    table = make_table(options.output)
    print(table)
    write_page("accuracy/transformer.md", {"results": table}, options.output)


if __name__ == "__main__":
    main()
