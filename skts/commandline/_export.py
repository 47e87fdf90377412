"""`skts export`: the network of a model for other programs."""

import argparse
from typing import Any

from sklearn.pipeline import Pipeline

from skts import features
from skts.commandline._messages import note
from skts.commandline._model import Model
from skts.commandline._output import check_output
from skts.commandline._say import timed

_ADDERS = tuple(getattr(features, name) for name in features.__all__)


def export(options: argparse.Namespace) -> int:
    """Write the network as ONNX, or as torch.export has it, by the name of the file."""
    check_output(options.output, [options.model], (".onnx", ".pt2"))
    model = Model.load(options)
    from skts.export import to_onnx, to_torch_export  # which takes packages of its own

    write = to_onnx if options.output.suffix == ".onnx" else to_torch_export
    made, pipe = split_made(model.estimator)
    if made:
        note(
            f"the graph takes a table that has these columns, too, which {model_steps(model.estimator, pipe)} makes: "
            f"{', '.join(made)}."
        )
    with timed("Exporting"):
        difference = write(pipe, options.output)
    print(f"  forecasts as predict does, to {difference:.1g} standard deviations of the target")
    print(f"Saved {options.output} ({options.output.stat().st_size / 1e6:.2f} MB)")
    return 0


def split_made(pipe: Any) -> tuple[list[str], Any]:
    """Split off the first steps where they make columns, which no graph does.

    Returns
    -------
    made : list of str
        The columns that they make.
    pipe : estimator
        The steps after them.
    """
    n_first = 0
    while isinstance(pipe, Pipeline) and isinstance(pipe.steps[n_first][1], _ADDERS):
        n_first += 1
    if not n_first:
        return [], pipe
    before = set(pipe.steps[0][1].feature_names_in_)
    rest = pipe[n_first:]
    return [name for name in pipe.steps[n_first - 1][1].get_feature_names_out() if name not in before], rest


def model_steps(pipe: Any, rest: Any) -> str:
    """Name the steps of a pipeline that are not in what is left of it."""
    return " and ".join(type(step).__name__ for _, step in pipe.steps[: len(pipe.steps) - len(rest.steps)])
