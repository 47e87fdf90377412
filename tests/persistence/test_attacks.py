"""A file that was damaged or made by somebody who means harm is refused before anything of it runs or fills memory."""

import io
import json
import pickle
import random
import struct
import tracemalloc
import warnings
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest
import safetensors.torch
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts import LSTMRegressor
from skts.exceptions import SavedFileError, UntrustedTypeError
from skts.persistence import load, read_manifest, save
from tests.persistence._attacks import (
    ATTACKS,
    FILES,
    FOREIGN,
    LOADERS,
    MANIFEST,
    NAMES,
    SCHEMA,
    TENSORS,
    Bomb,
    change_at_random,
    entries_of,
    lead_trees_astray,
    made_of,
    mutations,
    name_stranger,
    nodes,
    sealed,
    with_schema,
)

REFUSED = (SavedFileError, UntrustedTypeError)
SMALL = 2**24


@pytest.fixture(scope="module")
def model():
    """A file's bytes, of a small network."""
    return saved(LSTMRegressor(hidden_size=2, max_epochs=1, random_state=0).fit(inputs(), inputs()[:, 0, :1]))


def inputs():
    return np.random.RandomState(0).normal(size=(8, 3, 2))


def saved(estimator):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        save(estimator, Path(folder) / "model.skts")
        return (Path(folder) / "model.skts").read_bytes()


def attack(data, tmp_path, match=None, peak=None):
    """Load what an attacker made: an error of ours, nothing ran, and no more memory than `peak` bytes."""
    path = tmp_path / "attack.skts"
    path.write_bytes(data)
    with traced(peak), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(REFUSED, match=match):
            load(path)
    assert not Bomb.went_off


@contextmanager
def traced(peak):
    """Look whether the block takes more memory; where `peak` is None it may."""
    if peak is None:
        yield
        return
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < peak
    finally:
        tracemalloc.stop()


def test_the_honest_file_and_its_parts_sealed_anew_are_loaded(model, tmp_path):
    for data in (model, made_of(entries_of(model))):
        (tmp_path / "m").write_bytes(data)
        assert load(tmp_path / "m").predict(inputs()).shape == (8, 1)


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.9, 0.999])
def test_a_file_that_ends_early_is_refused(share, model, tmp_path):
    attack(model[: int(share * len(model))], tmp_path, "wrote|end is missing")


def test_one_byte_flipped_anywhere_is_noticed(model, tmp_path):
    for place in np.linspace(0, len(model) - 1, 100).astype(int):
        data = bytearray(model)
        data[place] ^= 1 << (place % 8)
        attack(bytes(data), tmp_path, "damaged|wrote")


def test_a_pickle_is_refused_wherever_it_lies(model, tmp_path):
    poison = pickle.dumps(Bomb())
    buffer = io.BytesIO()
    np.save(buffer, np.array([Bomb()], dtype=object), allow_pickle=True)
    entries = entries_of(model)
    array = next(name for name in entries if name.endswith(".npy"))
    attack(poison, tmp_path)
    for name in entries:
        attack(made_of(entries | {name: poison}), tmp_path)
    attack(made_of(entries | {array: buffer.getvalue()}), tmp_path, "pickle")
    attack(made_of(entries | {"data.pkl": poison}), tmp_path, "no file of skts")


@pytest.mark.parametrize("name", NAMES)
def test_names_beside_those_that_are_written_are_refused(name, model, tmp_path):
    attack(made_of([*entries_of(model).items(), (name, b"")]), tmp_path)


def test_an_entry_that_is_there_twice_or_missing_is_refused(model, tmp_path):
    entries = entries_of(model)
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = made_of([*entries.items(), (SCHEMA, b"{}")])
    attack(data, tmp_path, "each once")
    for name in entries:
        attack(made_of({other: entry for other, entry in entries.items() if other != name}), tmp_path)
    attack(
        made_of(entries | {"12345.npy": next(e for n, e in entries.items() if n.endswith("npy"))}), tmp_path, "nothing"
    )


def test_what_unfolds_or_declares_to_be_larger_than_the_file_is_refused(model, tmp_path):
    entries = entries_of(model)
    attack(made_of(entries | {SCHEMA: b" " * 10**7}, zipfile.ZIP_DEFLATED), tmp_path, "compressed", SMALL)
    data = bytearray(made_of(entries))
    place = data.index(b"PK\x01\x02")  # the first entry in the directory at the end
    data[place + 20 : place + 28] = struct.pack("<II", 2**31, 2**31)
    attack(sealed(bytes(data)), tmp_path, "more than its own", SMALL)
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    header += b" " * (117 - len(header)) + b"\n"
    array = next(name for name in entries if name.endswith(".npy"))
    huge = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    attack(made_of(entries | {array: huge + b"0" * 8}), tmp_path, "declares", SMALL)
    table = json.dumps({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}).encode()
    attack(made_of(entries | {TENSORS: struct.pack("<Q", len(table)) + table}), tmp_path, None, SMALL)
    attack(made_of(entries | {TENSORS: struct.pack("<Q", 2**62) + table}), tmp_path, None, SMALL)
    attack(made_of(entries | {SCHEMA: b'{"a":' * 10_000}), tmp_path, "JSON")
    attack(made_of(entries | {SCHEMA: b"[" * 10**5}), tmp_path, "JSON")


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(("module", "name"), FOREIGN)
def test_what_is_not_ours_is_refused_by_name(module, name, loader, model, tmp_path):
    attack(with_schema(model, lambda schema: name_stranger(schema, module, name, loader)), tmp_path)


@pytest.mark.parametrize("loader", ["ObjectNode", "TypeNode"])
def test_a_class_in_python_over_a_compiled_one_is_refused_where_anything_would_do(loader, tmp_path):
    data = saved(make_pipeline(StandardScaler(), Ridge()))  # the first plain value is the name of a step
    at = "sklearn.neighbors._kd_tree", "KDTree", loader
    attack(with_schema(data, lambda schema: name_stranger(schema, *at)), tmp_path, "KDTree")


@pytest.mark.parametrize(
    "loader", ["MethodNode", "OperatorFuncNode", "BytesNode", "SparseMatrixNode", "CachedNode", "Nope"]
)
def test_parts_that_are_never_written_are_refused(loader, model, tmp_path):
    attack(
        with_schema(model, lambda schema: list(nodes(schema))[3].update(__loader__=loader)), tmp_path, "does not write"
    )


@pytest.mark.parametrize("protocol", [0, 1, True, None, "2", 99])
def test_older_protocols_of_skops_are_refused(protocol, model, tmp_path):
    attack(with_schema(model, lambda schema: schema.update(protocol=protocol)), tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda tensor: tensor[:-1],
        lambda tensor: tensor.double(),
        lambda tensor: tensor.flatten()[None, None],
        lambda tensor: tensor.expand(2, *tensor.shape).contiguous(),
    ],
    ids=["shorter", "double", "flat", "deeper"],
)
def test_tensors_that_are_not_those_of_the_network_are_refused(change, model, tmp_path):
    entries = entries_of(model)
    tensors = safetensors.torch.load(entries[TENSORS])
    for name in tensors:
        if tensors[name].ndim:
            data = safetensors.torch.save(tensors | {name: change(tensors[name])})
            if ".optimizer_." not in name or change(tensors[name]).shape != tensors[name].shape:
                attack(made_of(entries | {TENSORS: data}), tmp_path)
    left = dict(list(tensors.items())[1:])
    attack(made_of(entries | {TENSORS: safetensors.torch.save(left)}), tmp_path)


@pytest.mark.parametrize("argument", ["hidden_size", "num_layers", "n_features", "n_targets", "horizon"])
def test_a_network_larger_than_its_tensors_is_not_made(argument, model, tmp_path):
    def change(schema):
        for each in nodes(schema):
            if each["__loader__"] == "PartialNode":
                arguments = each["content"]["kwds"]["content"]
                if argument in arguments:
                    arguments[argument]["content"] = "1000000000"
                    del arguments[argument]["__id__"]  # of a number that skops has seen before it takes that

    attack(with_schema(model, change), tmp_path, None, SMALL)


@pytest.mark.parametrize("forest", [RandomForestRegressor(2, max_depth=3), HistGradientBoostingRegressor(max_iter=2)])
def test_trees_that_lead_out_of_themselves_are_refused(forest, tmp_path):
    X = np.random.RandomState(0).normal(size=(60, 3))
    data = saved(forest.fit(X, X[:, 0]))
    entries = entries_of(data)
    for name, entry in entries.items():
        if not name.endswith(".npy"):
            continue
        array = np.load(io.BytesIO(entry))
        for field in {"left_child", "right_child", "feature", "left", "right", "feature_idx"} & set(
            array.dtype.names or []
        ):
            changed = array.copy()
            changed[field][0] = 2**31 - 1 if field != "feature_idx" else 2**31 - 2
            buffer = io.BytesIO()
            np.save(buffer, changed)
            attack(made_of(entries | {name: buffer.getvalue()}), tmp_path)


def test_a_newer_format_is_refused_by_name(model, tmp_path):
    entries = entries_of(model)
    manifest = json.loads(entries[MANIFEST])
    manifest |= {"format": 2, "packages": manifest["packages"] | {"skts": "9.1"}}
    data = made_of(entries | {MANIFEST: json.dumps(manifest).encode()})
    attack(data, tmp_path, r"format 2, written by skts '9\.1'.*install a newer skts")
    with pytest.raises(SavedFileError, match="format 2"):
        read_manifest(tmp_path / "attack.skts")
    for wrong in (0, -1, None, "1", 1.0, True, [], {}):
        attack(made_of(entries | {MANIFEST: json.dumps({"format": wrong}).encode()}), tmp_path, "its format is")


@pytest.mark.parametrize("n_mutations", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_of_many_mutations_each_is_refused_or_gives_an_estimator(n_mutations, model, tmp_path):
    path, n_refused = tmp_path / "mutant.skts", 0
    for data in change_at_random(model, n_mutations, random.Random(0)):
        path.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                load(path)  # of a number that changed, or a name of the same kind
        except REFUSED:
            n_refused += 1
    assert n_refused > 0.6 * n_mutations


@pytest.mark.parametrize("name", [name for name in ATTACKS if ATTACKS[name] is not mutations])
def test_the_attacks_of_the_page_are_refused_on_a_pipeline_too(name, tmp_path):
    stem = "boosting" if ATTACKS[name] is lead_trees_astray else "combination"
    (file,) = (each for each in FILES if each.stem == stem)
    made = list(ATTACKS[name](file.read_bytes()))
    assert made
    for data in made[:: -(-len(made) // 8)]:
        attack(data, tmp_path)
