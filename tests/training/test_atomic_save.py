"""What becomes of checkpoints on a disk that is full."""

import resource
import signal
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import torch
from skorch.callbacks import Checkpoint

from skts import LSTMRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.training._atomic_save import write_atomically


@contextmanager
def full_disk(n_bytes):
    """Let no file of this process grow beyond some bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.fixture
def data():
    X, y = make_panel(n_series=1, n_rows=60, random_state=0)
    return SlidingWindower(6, 2).fit_transform(X), y


def make_regressor(folder, max_epochs):
    checkpoint = Checkpoint(dirname=str(folder), monitor=None)
    net_params = {"callbacks": [checkpoint]}
    return LSTMRegressor(16, max_epochs=max_epochs, net_params=net_params, random_state=0, device="cpu")


def test_a_checkpoint_is_what_skorch_saves(data, tmp_path):
    regressor = make_regressor(tmp_path, 2).fit(*data)
    saved = torch.load(tmp_path / "params.pt")
    for name, values in regressor.net_.module_.state_dict().items():
        assert torch.equal(saved[name], values)
    assert {path.name for path in tmp_path.iterdir()} == {"params.pt", "optimizer.pt", "criterion.pt", "history.json"}


def test_a_full_disk_is_an_error_and_leaves_the_checkpoint_before(data, tmp_path):
    make_regressor(tmp_path, 1).fit(*data)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with full_disk(1500), pytest.raises(OSError, match=r"optimizer\.pt could not be written, and is as it was before"):
        make_regressor(tmp_path, 3).fit(*data)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert len(torch.load(tmp_path / "params.pt")) > 0


def test_the_error_is_told_once(data, tmp_path):
    regressor = make_regressor(tmp_path, 1).set_params(warm_start=True).fit(*data)
    with full_disk(1500), pytest.raises(OSError, match="could not be written"):
        regressor.fit(*data)
    assert regressor.fit(*data).n_iter_ >= 2


def test_what_the_user_could_not_save_is_no_matter_of_the_next_fit(data, tmp_path):
    regressor = make_regressor(tmp_path, 1).set_params(warm_start=True).fit(*data)
    with full_disk(1500), pytest.raises(OSError, match="could not be written"):
        regressor.net_.save_params(f_params=tmp_path / "mine.pt")
    assert regressor.fit(*data).n_iter_ == 2


def test_an_opened_file_is_written_to(data, tmp_path):
    regressor = make_regressor(tmp_path, 1).fit(*data)
    with (tmp_path / "mine.pt").open("wb") as file:
        regressor.net_.save_params(f_params=file)
    assert torch.load(tmp_path / "mine.pt").keys() == regressor.net_.module_.state_dict().keys()


def test_what_breaks_off_leaves_nothing_behind(tmp_path):
    path = tmp_path / "file"
    path.write_text("before")
    path.chmod(0o640)
    with suppress(ZeroDivisionError), write_atomically(path) as partial:
        Path(partial).write_text("half")
        raise ZeroDivisionError
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "before"
    with write_atomically(path) as partial:
        Path(partial).write_text("after")
    assert path.read_text() == "after"
    assert path.stat().st_mode & 0o777 == 0o640
