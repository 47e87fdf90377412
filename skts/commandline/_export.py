"""`skts export`: the network of a model for other programs."""

import argparse

from skts.commandline._model import Model
from skts.commandline._output import check_output
from skts.commandline._say import timed


def export(options: argparse.Namespace) -> int:
    """Write the network as ONNX, or as torch.export has it, by the name of the file."""
    check_output(options.output, [options.model], (".onnx", ".pt2"))
    model = Model.load(options)
    from skts.export import to_onnx, to_torch_export  # which takes packages of its own

    write = to_onnx if options.output.suffix == ".onnx" else to_torch_export
    with timed("Exporting"):
        write(model.estimator, options.output)
    print(f"Saved {options.output} ({options.output.stat().st_size / 1e6:.2f} MB)")
    return 0
