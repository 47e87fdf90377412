"""Files that somebody made who means harm, by kind, for the tests and for the table of the documentation."""

import hashlib
import io
import json
import pickle
import random
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import safetensors.torch

SCHEMA, TENSORS, MANIFEST = "schema.json", "weights.safetensors", "manifest.json"
N_DIGITS = 64
FILES = sorted((Path(__file__).parent / "files" / "format_1").glob("*.skts"))
LOADERS = ("ObjectNode", "FunctionNode", "TypeNode", "PartialNode", "ConstructorFromReduceNode")
NAMES = ("/etc/passwd", "../model.npy", "a/1.npy", "1.npy/", "..\\1.npy", "C:\\1.npy", "7e.npy", "1.NPY", "")
SIZES = ("hidden_size", "num_layers", "n_features", "n_targets", "horizon", "n_known", "n_series")


class Bomb:
    """Leaves a mark where it is unpickled."""

    went_off = False

    def __reduce__(self):
        return setattr, (Bomb, "went_off", True)


def entries_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def sealed(data):
    """Put the digest of an attacker's bytes where that of the honest ones was."""
    return data[:-N_DIGITS] + hashlib.sha256(data[:-N_DIGITS]).hexdigest().encode()


def made_of(entries, compression=zipfile.ZIP_STORED):
    """A file of any entries, sealed as `save` does."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, entry in entries if isinstance(entries, list) else entries.items():
            file.writestr(zipfile.ZipInfo(name) if compression == zipfile.ZIP_STORED else name, entry)
        file.comment = b"skts saved this; sha256 of all before: " + b"0" * N_DIGITS
    return sealed(buffer.getvalue())


def with_schema(data, change):
    entries = entries_of(data)
    schema = json.loads(entries[SCHEMA])
    change(schema)
    return made_of(entries | {SCHEMA: json.dumps(schema).encode()})


def nodes(schema):
    """Go through all parts that skops wrote."""
    if isinstance(schema, dict):
        if "__loader__" in schema:
            yield schema
        for each in schema.values():
            yield from nodes(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from nodes(each)


FOREIGN = [
    ("os", "system"),
    ("builtins", "eval"),
    ("builtins", "exec"),
    ("subprocess", "Popen"),
    ("posix", "system"),
    ("numpy", "load"),
    ("numpy", "fromfile"),
    ("torch", "load"),
    ("joblib", "load"),
    ("sklearn.datasets._base", "os"),
    ("sklearn.datasets", "load_files"),
    ("sklearn.utils._testing", "assert_run_python_script_without_output"),
    ("sklearn.utils._joblib", "joblib"),
    ("sklearn.neighbors._kd_tree", "KDTree"),
    ("skops.io", "load"),
    ("skts.persistence", "load"),
    ("skts.training._atomic_save", "os"),
    ("skts.nn.heads._head", "np.load"),
    ("skts.__main__", "main"),
    ("skorch.callbacks.training", "LoadInitState"),
    ("skorch.callbacks.training", "Checkpoint"),
    ("operator", "attrgetter"),
    ("functools", "reduce"),
    ("..skts", "x"),
    ("", ""),
]


def mutate(schema, draw):
    """Change one thing of what skops wrote."""
    node = draw.choice(list(nodes(schema)))
    node.pop("__id__", None)
    others = list(nodes(schema))
    key = draw.choice([key for key in node if key != "_skops_version"])
    kind = draw.randrange(5)
    if kind == 0:
        del node[key]
    elif kind == 1:
        node[key] = draw.choice([None, -1, 2**70, "x", "\x00", [], {}, [[]], {"a": 1}, 1e308, "../x", "os.system"])
    elif kind == 2:
        node[key] = draw.choice(others).get(key)
    elif kind == 3:
        node["__loader__"] = draw.choice(others)["__loader__"]
    elif isinstance(node.get("content"), str):
        node["content"] = draw.choice(
            ["null", "-1", "1e999", "10000000000000000000000", '"x"', "[[]]", "{", "true", "NaN"]
        )


def name_stranger(schema, module, name, loader):
    """Put a class or function of others where a plain value was."""
    inner = next(each for each in nodes(schema) if each["__loader__"] == "JsonNode")
    inner |= {"__module__": module, "__class__": name, "__loader__": loader}
    if loader == "PartialNode":
        empty = {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "content": []}
        func = {"__module__": module, "__class__": name, "__loader__": "FunctionNode"}
        none = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": "null"}
        inner["content"] = {"func": func, "args": empty, "kwds": none, "namespace": none}
        inner |= {"__module__": "functools", "__class__": "partial"}
    else:
        inner["content"] = None


def array_of(entries):
    """Name an entry that is an array."""
    return next(name for name in entries if name.endswith(".npy"))


def cut_short(data):
    for share in np.linspace(0, 0.9999, 20):
        yield data[: int(share * len(data))]


def flip_bits(data):
    for place in np.linspace(0, len(data) - 1, 100).astype(int):
        changed = bytearray(data)
        changed[place] ^= 1 << (place % 8)
        yield bytes(changed)


def put_pickles(data):
    poison, buffer, entries = pickle.dumps(Bomb()), io.BytesIO(), entries_of(data)
    np.save(buffer, np.array([Bomb()], dtype=object), allow_pickle=True)
    yield poison
    yield sealed(poison + b"skts saved this; sha256 of all before: " + b"0" * N_DIGITS)
    for name in (SCHEMA, TENSORS, MANIFEST, array_of(entries), "data.pkl"):
        yield made_of(entries | {name: poison})
    yield made_of(entries | {array_of(entries): buffer.getvalue()})


def name_strangers(data):
    for module, name in FOREIGN:
        for loader in LOADERS:
            yield with_schema(data, lambda schema, at=(module, name, loader): name_stranger(schema, *at))


def put_names(data):
    for name in NAMES:
        yield made_of([*entries_of(data).items(), (name, b"")])


def leave_out_or_repeat(data):
    entries = entries_of(data)
    for name in (SCHEMA, TENSORS, MANIFEST, array_of(entries)):
        yield made_of({other: entry for other, entry in entries.items() if other != name})
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Duplicate name")
            twice = made_of([*entries.items(), (name, entries[name])])
        yield twice


def unfold(data):
    """Compressed entries, and sizes, shapes and depths that are declared and not there."""
    entries = entries_of(data)
    yield made_of(entries | {SCHEMA: b" " * 10**7}, zipfile.ZIP_DEFLATED)
    yield made_of(entries | {TENSORS: bytes(10**7)}, zipfile.ZIP_DEFLATED)
    changed = bytearray(made_of(entries))
    first = changed.index(b"PK\x01\x02")  # the directory at the end
    changed[first + 20 : first + 28] = struct.pack("<II", 2**31, 2**31)
    yield sealed(bytes(changed))
    changed = bytearray(made_of(entries))
    places = [place for place in range(len(changed) - 4) if changed[place : place + 4] == b"PK\x01\x02"]
    largest = max(places, key=lambda place: struct.unpack("<I", changed[place + 24 : place + 28])[0])
    for place in places:  # all entries lie on the largest
        changed[place + 16 : place + 28] = changed[largest + 16 : largest + 28]
        changed[place + 42 : place + 46] = changed[largest + 42 : largest + 46]
    yield sealed(bytes(changed))
    for shape in ("(1000000000000,)", "(1000000, 1000000)", "(-1,)"):
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
        header += b" " * (117 - len(header)) + b"\n"
        array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(8)
        yield made_of(entries | {array_of(entries): array})
    table = json.dumps({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}).encode()
    for length in (len(table), 2**62):
        yield made_of(entries | {TENSORS: struct.pack("<Q", length) + table})
    for nested in (b'{"a":' * 10_000, b"[" * 10**5):
        yield made_of(entries | {SCHEMA: nested})


def change_tensors(data):
    entries = entries_of(data)
    tensors = safetensors.torch.load(entries[TENSORS])
    changes = (
        lambda tensor: tensor[:-1],
        lambda tensor: tensor.double(),
        lambda tensor: tensor.flatten()[None, None],
        lambda tensor: tensor.expand(2, *tensor.shape).contiguous(),
    )
    for name in [name for name in tensors if tensors[name].ndim and ".optimizer_." not in name]:
        for change in changes:
            yield made_of(entries | {TENSORS: safetensors.torch.save(tensors | {name: change(tensors[name])})})
        left = {other: tensor for other, tensor in tensors.items() if other != name}
        yield made_of(entries | {TENSORS: safetensors.torch.save(left)})


def declare_large_networks(data):
    for argument in SIZES:
        found = []

        def change(schema, argument=argument, found=found):
            for each in nodes(schema):
                arguments = each["content"]["kwds"]["content"] if each["__loader__"] == "PartialNode" else {}
                if argument in arguments:
                    arguments[argument]["content"] = "1000000000"
                    arguments[argument].pop("__id__", None)  # of a number that skops has seen before it takes that
                    found.append(argument)

        changed = with_schema(data, change)
        if found:
            yield changed


def lead_trees_astray(data):
    entries = entries_of(data)
    for name in [name for name in entries if name.endswith(".npy")]:
        array = np.load(io.BytesIO(entries[name]))
        for field in {"left_child", "right_child", "feature", "left", "right", "feature_idx"} & set(
            array.dtype.names or []
        ):
            changed, buffer = array.copy(), io.BytesIO()
            changed[field][0] = 2**31 - 2
            np.save(buffer, changed)
            yield made_of(entries | {name: buffer.getvalue()})


def name_newer_formats(data):
    entries = entries_of(data)
    manifest = json.loads(entries[MANIFEST])
    for number in (2, 10**9, 0, -1, None, "1", 1.0, True, [], {}):
        yield made_of(entries | {MANIFEST: json.dumps(manifest | {"format": number}).encode()})


def change_at_random(data, n_mutations, draw):
    """Change bytes of tensors and arrays, and parts of what skops wrote, and seal the file anew."""
    entries = entries_of(data)
    for number in range(n_mutations):
        if number % 4 == 3:
            name = draw.choice([name for name in entries if name != MANIFEST])
            changed = bytearray(entries[name])
            for _ in range(draw.randrange(1, 4)):
                changed[draw.randrange(min(len(changed), 400))] = draw.randrange(256)
            yield made_of(entries | {name: bytes(changed)})
        else:
            yield with_schema(data, lambda schema: mutate(schema, draw))


def mutations(data):
    """Give a share of a thousand."""
    yield from change_at_random(data, -(-1000 // len(FILES)), random.Random(len(data)))


ATTACKS = {
    "cut short": cut_short,
    "a bit flipped, at 100 places": flip_bits,
    "a pickle inside, or instead": put_pickles,
    "classes and functions of others (`os.system`, `eval`, `numpy.load`, ...)": name_strangers,
    "absolute names, `..`, other entries": put_names,
    "entries missing, or there twice": leave_out_or_repeat,
    "compressed, overlapping, or declared larger than the file (zip bombs)": unfold,
    "tensors of another shape or type, or missing": change_tensors,
    "a network declared larger than its weights": declare_large_networks,
    "trees that lead out of themselves": lead_trees_astray,
    "a newer format, or none": name_newer_formats,
    "changed at random, with a digest that fits": mutations,
}
