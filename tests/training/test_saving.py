"""A disk that fills during a checkpoint."""

import json

import pytest
import skorch
import torch

from skts import LSTMRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.training._saving import whole_files

resource = pytest.importorskip("resource")


class FillsTheDisk(skorch.callbacks.Callback):
    """Lets no file grow beyond some bytes from the third epoch on."""

    def __init__(self, size):
        self.size = size

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, resource.RLIM_INFINITY))


@pytest.fixture
def empty_disk():
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("empty_disk")
def test_a_full_disk_is_an_error_and_leaves_the_checkpoint_before(tmp_path):
    checkpoint = skorch.callbacks.Checkpoint(dirname=tmp_path, monitor=None)
    lstm = LSTMRegressor(hidden_size=8, max_epochs=5, callbacks=[FillsTheDisk(2000), checkpoint], random_state=0)
    X, y = make_panel(n_series=1, n_rows=100, random_state=0)
    windows = SlidingWindower(6, 2).fit_transform(X)
    with pytest.raises(RuntimeError) as caught:
        lstm.fit(windows, y)
    assert "optimizer.pt stayed as before" in "".join(caught.value.__notes__)
    assert {path.name for path in tmp_path.iterdir()} == {"params.pt", "optimizer.pt", "criterion.pt", "history.json"}
    assert len(json.loads((tmp_path / "history.json").read_text())) == 2  # as the weights: of the epoch before
    weights = torch.load(tmp_path / "params.pt")
    again = LSTMRegressor(hidden_size=8, max_epochs=2, random_state=0).fit(windows, y)
    assert all(torch.equal(weights[name], value) for name, value in again.net_.module_.state_dict().items())


def test_a_checkpoint_is_what_the_network_was(tmp_path):
    checkpoint = skorch.callbacks.Checkpoint(dirname=tmp_path, monitor="valid_loss_best", load_best=True)
    X, y = make_panel(n_series=1, n_rows=200, random_state=0)
    windows = SlidingWindower(6, 2).fit_transform(X)
    lstm = LSTMRegressor(hidden_size=8, lr=0.05, max_epochs=8, early_stopping=True, callbacks=[checkpoint])
    lstm.set_params(random_state=0).fit(windows, y)
    saved = torch.load(tmp_path / "params.pt")
    assert all(torch.equal(saved[name], value) for name, value in lstm.net_.module_.state_dict().items())


def test_either_all_files_change_or_none(tmp_path):
    (tmp_path / "a").write_text("old")

    def write(fails):
        with whole_files({"a": tmp_path / "a", "b": str(tmp_path / "b"), "flag": False}) as parts:
            assert parts["flag"] is False
            for key in "ab":
                with open(parts[key], "w") as file:
                    file.write("new")
            if fails:
                raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write(fails=True)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]
    write(fails=False)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "new", "b": "new"}
