"""A trained net taken apart into recorded arguments and tensors, and made again from them."""

import inspect
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from skorch.history import History
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from skts.exceptions import SavedFileError, UntrustedTypeError
from skts.persistence._types import name_of, resolve
from skts.training import WindowNet, resolve_device, seeded

Tensors = dict[str, torch.Tensor]
_PARTS = ("module_", "criterion_")
_UNWRITTEN = {"module", "device", "history", "torch_load_kwargs"}
_ROOM = 2**24  # bytes of buffers that a network may make beside those in the file: positions, masks


def take_net(net: Any, name: str, path: str) -> tuple[dict[str, Any], Tensors]:
    """Take a net apart.

    Parameters
    ----------
    net : WindowNet
    name : str
        What the names of its tensors begin with.
    path : str
        Where it was found, for messages.

    Returns
    -------
    content : dict
        What it is made from.
    tensors : dict of str to Tensor
        Its weights, and the state of its optimizer.
    """
    if type(net) is not WindowNet:
        raise UntrustedTypeError(
            f"{path} cannot be saved: of nets only those of skts can, and it is {name_of(type(net))}."
        )
    tensors = {
        f"{name}.{part}.{key}": tensor.detach().cpu().contiguous().clone()
        for part in _PARTS
        for key, tensor in getattr(net, part).state_dict().items()
    }
    optimizer, moments = _take_optimizer(net.optimizer_)
    tensors |= {f"{name}.optimizer_.{key}": tensor for key, tensor in moments.items()}
    content = {
        "name": name,
        "module": net.module,
        "device": str(net.device),
        "options": _options_of(net),
        "history": [{key: each for key, each in epoch.items() if key != "batches"} for epoch in net.history_],
        "optimizer": optimizer,
    }
    return content, tensors


def _options_of(net: Any) -> dict[str, Any]:
    """Give the arguments that a net was made with, where they are not the usual ones."""
    usual = vars(WindowNet(net.module))
    names = [name for name in vars(net) if name in usual or "__" in name]
    given = {name: vars(net)[name] for name in names if name not in _UNWRITTEN and not name.startswith("_")}
    given = {name: value for name, value in given.items() if not name.endswith("_")}
    return {name: value for name, value in given.items() if name not in usual or not _same(value, usual[name])}


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    return one == other if isinstance(one, int | float | str | bool) else _same_state(one, other)


def _same_state(one: Any, other: Any) -> bool:
    return hasattr(one, "__dict__") and not callable(one) and vars(one) == vars(other)


def _take_optimizer(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Any] | None, Tensors]:
    """Take the state of an optimizer apart; None where it is more than tensors."""
    state = optimizer.state_dict()
    if not all(isinstance(each, torch.Tensor) for moments in state["state"].values() for each in moments.values()):
        return None, {}
    groups = [{key: value for key, value in group.items() if key != "params"} for group in state["param_groups"]]
    moments = {
        f"{number}.{name}": tensor.detach().cpu().contiguous().clone()
        for number, moments in state["state"].items()
        for name, tensor in moments.items()
    }
    return {"groups": groups, "moments": sorted(moments)}, moments


def put_net(content: dict[str, Any], tensors: Tensors, trusted: Collection[str]) -> WindowNet:
    """Make a net again.

    Parameters
    ----------
    content : dict
        As `take_net` gives it.
    tensors : dict of str to Tensor
        All of the file.
    trusted : collection of str

    Raises
    ------
    SavedFileError
        The tensors are not those of the network that the recorded arguments make.
    """
    own = {
        key.removeprefix(f"{content['name']}."): each
        for key, each in tensors.items()
        if key.startswith(f"{content['name']}.")
    }
    parts = {part: _within(own, part) for part in _PARTS}
    net = WindowNet(content["module"], **content["options"], device=_device_of(content["device"]))
    for part, state in parts.items():  # as skorch will make it
        make = getattr(net, part.removesuffix("_"))
        check_network(partial(make, **net.get_params_for(part.removesuffix("_"))), state, trusted)
    if not (inspect.isclass(net.optimizer) and issubclass(net.optimizer, torch.optim.Optimizer)):
        raise SavedFileError(f"{net.optimizer!r} is no optimizer")
    with seeded(0, torch.device("cpu")):
        net.initialize()
    for part, state in parts.items():
        getattr(net, part).load_state_dict(state, strict=True)
    net.history_ = History({"batches": []} | epoch for epoch in content["history"])
    if content["optimizer"] is not None:
        _put_optimizer(net.optimizer_, content["optimizer"], _within(own, "optimizer_"))
    net.module_.eval()
    return net


def _within(tensors: Tensors, part: str) -> Tensors:
    return {key.removeprefix(f"{part}."): each for key, each in tensors.items() if key.startswith(f"{part}.")}


def _device_of(recorded: str) -> str:
    """Give the device that a net was on, or the CPU where this machine does not have it."""
    try:
        device = resolve_device(recorded)
        if device.type == "meta":
            return "cpu"
        torch.empty(0, device=device)
    except (ValueError, RuntimeError, AssertionError, NotImplementedError):
        return "cpu"
    return str(device)


def check_network(make: Any, tensors: Tensors, trusted: Collection[str]) -> None:
    """Make a network without memory, and refuse one that is not of the tensors.

    Parameters
    ----------
    make : partial
        Of a class of networks.
    tensors : dict of str to Tensor
        Its parameters and buffers by name.
    trusted : collection of str
        A class among them may do in its constructor what it likes.
    """
    factories = list(_factories(make))
    for factory in factories:
        if not (inspect.isclass(factory) and issubclass(factory, nn.Module)):
            raise SavedFileError(f"{factory!r} makes no network")
        resolve(name_of(factory), trusted)
    if any(name_of(factory) in trusted for factory in factories):
        return
    with torch.device("meta"), at_most(len(tensors)):
        network = make()
    state = network.state_dict()
    wrong = sorted(set(state) ^ set(tensors))
    if wrong:
        raise SavedFileError(f"the tensors {wrong[:3]} are not those of {type(network).__name__}")
    for key, each in state.items():
        if each.shape != tensors[key].shape or each.dtype != tensors[key].dtype:
            raise SavedFileError(
                f"the tensor {key!r} of {type(network).__name__} has the shape {tuple(tensors[key].shape)}, and "
                f"{tuple(each.shape)} is expected"
            )
    room = sum(each.nbytes for each in network.buffers())
    if room > _ROOM + 16 * sum(each.nbytes for each in tensors.values()):
        raise SavedFileError(f"{type(network).__name__} makes buffers of {room} bytes, and the file has fewer")


def _factories(make: Any) -> Iterator[Any]:
    """Give the classes that a partial calls, and those that partials among its arguments do."""
    if not isinstance(make, partial):
        yield make
        return
    yield from _factories(make.func)
    for argument in (*make.args, *make.keywords.values()):
        if isinstance(argument, partial):
            yield from _factories(argument)


@contextmanager
def at_most(n_parameters: int) -> Iterator[None]:
    """Stop whoever makes more parameters than that inside the block: a file that asks for a billion layers."""
    made, thread = 0, threading.get_ident()

    def count(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        nonlocal made
        made += parameter is not None and threading.get_ident() == thread
        if made > 2 * n_parameters + 16:  # a layer may make one more than once
            raise SavedFileError(f"a network has more than the {n_parameters} tensors of the file")

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()


def _put_optimizer(optimizer: torch.optim.Optimizer, content: dict[str, Any], moments: Tensors) -> None:
    """Give an optimizer its state back."""
    fresh = optimizer.state_dict()
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    if set(content["moments"]) != set(moments):
        raise SavedFileError("the state of the optimizer is not whole")
    state: dict[int, Tensors] = {}
    for key, tensor in moments.items():
        number, _, name = key.partition(".")
        if tensor.ndim and tensor.shape != weights[int(number)].shape:
            raise SavedFileError(f"the state {name!r} of the optimizer has the shape {tuple(tensor.shape)}")
        state.setdefault(int(number), {})[name] = tensor
    groups = [own | group for group, own in zip(content["groups"], fresh["param_groups"], strict=True)]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
