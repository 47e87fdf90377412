"""From the command line to a command."""

import sys
from collections.abc import Sequence

from joblib.externals.loky.process_executor import TerminatedWorkerError

from skts.commandline._arguments import parse_arguments, show_help
from skts.commandline._backtest import backtest
from skts.commandline._check import check
from skts.commandline._demo import demo
from skts.commandline._export import export
from skts.commandline._fit import fit
from skts.commandline._inspect import inspect
from skts.commandline._messages import show_error, warnings_as_lines
from skts.commandline._predict import predict
from skts.commandline._update import update

DONE, REFUSED, STOPPED = 0, 2, 130
_COMMANDS = {
    "demo": demo,
    "inspect": inspect,
    "fit": fit,
    "predict": predict,
    "update": update,
    "backtest": backtest,
    "check": check,
    "export": export,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, default=None
        `sys.argv[1:]` by default.

    Returns
    -------
    status : int
        0 done; 1 `check` found a leak; 2 nothing was done, with the reason in one line on standard error; 130 stopped
        by the user.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = parse_arguments(arguments)
        if options.command is None:
            show_help()
            return DONE
        with warnings_as_lines():
            return _COMMANDS[options.command](options)
    except KeyboardInterrupt:
        print("skts: stopped.", file=sys.stderr)
        return STOPPED
    except (
        ValueError,
        TypeError,
        ArithmeticError,
        OSError,
        ImportError,
        MemoryError,
        RuntimeError,
        TerminatedWorkerError,
    ) as error:
        if "--traceback" in arguments:
            raise
        show_error(error)
        return REFUSED
