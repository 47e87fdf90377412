"""The contract that every network keeps."""

import pickle
import threading
from functools import partial

import pytest
import torch

from skts.nn import MLP, EncoderDecoder, Forecaster, InstanceNorm, LinearForecaster, PointHead, QuantileHead

SIZES = {"n_features": 4, "n_known": 2, "n_targets": 2, "horizon": 3}
RECURRENT = SIZES | {"hidden_size": 5}
NETWORKS = {
    "lstm": partial(EncoderDecoder, **RECURRENT),
    "gru": partial(EncoderDecoder, **RECURRENT, cell="gru", num_layers=3),
    "dropout": partial(EncoderDecoder, **RECURRENT, num_layers=2, dropout=0.5, input_dropout=0.5),
    "lookahead": partial(EncoderDecoder, **RECURRENT, bidirectional=True, lookahead=2),
    "series": partial(EncoderDecoder, **RECURRENT, n_series=3, series_embedding=2),
    "quantiles": partial(EncoderDecoder, **RECURRENT, head=QuantileHead([0.1, 0.9])),
    "nothing known": partial(EncoderDecoder, **RECURRENT | {"n_known": 0}, n_series=3, series_embedding=2),
    "patches": partial(EncoderDecoder, **RECURRENT, patch_len=3),
    "skip": partial(EncoderDecoder, **RECURRENT, window=6, linear_skip=True),
    "dlinear": partial(LinearForecaster, **SIZES, window=6, kernel_size=3),
    "mlp": partial(MLP, **SIZES, window=6, hidden_sizes=(5, 4), dropout=0.5, lookahead=2, linear_skip=True),
    "mlp of series": partial(MLP, **SIZES, window=6, hidden_sizes=(5,), lags=[1, 3], n_series=3, series_embedding=2),
    "norm": lambda: InstanceNorm(NETWORKS["lookahead"], PointHead(), "mean", [1, 3], [0.5, 2.0], [1.0, 0.0]),
}
CAUSAL = {"lstm", "gru", "dropout", "lookahead", "series", "quantiles", "nothing known"}


def make_inputs(net, n=2):
    generator = torch.Generator().manual_seed(0)
    known = torch.randn(n, 3 + net.lookahead, 2, generator=generator)
    has_known = getattr(net, "decoder", True) is not None
    return torch.randn(n, 6, 4, generator=generator), known if has_known else None, torch.arange(n) - 1


def contents(module):
    """All attributes of a module and of those inside, and what its tensors hold."""
    attributes = {(name, key): value for name, part in module.named_modules() for key, value in vars(part).items()}
    tensors = {name: values.detach().clone() for name, values in [*module.named_parameters(), *module.named_buffers()]}
    return attributes, tensors


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("training", [True, False])
def test_a_forward_changes_nothing_of_the_module(name, training):
    net = NETWORKS[name]().train(training)
    past, known, series = make_inputs(net)
    attributes, tensors = contents(net)
    _, state = net(past, known, series)
    if net.causal:
        kept = [part.detach().clone() for part in state]
        net(past, known, series, state)
        assert all(map(torch.equal, state, kept))  # nor of what it is given
    after, tensors_after = contents(net)
    assert attributes.keys() == after.keys()
    assert all(after[key] is value for key, value in attributes.items())
    assert all(torch.equal(tensors_after[key], value) for key, value in tensors.items())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_forecast_has_the_shape_of_horizon_and_targets(name):
    net = NETWORKS[name]().eval()
    forecast, state = net(*make_inputs(net, n=3))
    assert forecast.shape[:3] == (3, 3, 2)
    assert forecast.shape[3:] == ((3,) if name == "quantiles" else ())
    if net.causal:
        assert {part.shape[1] for part in state} == {3}


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_causal_forecasts_from_its_last_encoded_row_and_the_rest_names_what_reads_the_whole_window(name):
    net = NETWORKS[name]().eval()
    assert net.causal == (name in CAUSAL)
    past, known, series = make_inputs(net)
    if net.causal:
        assert net.whole_window == ""
        encoded, state = net.encode(past, series)
        forecast, last = net(past, known, series)
        torch.testing.assert_close(net.decode(encoded[:, -1], known, series), forecast)
        torch.testing.assert_close(state, last)
    else:
        named = {"patches": "patch_len=3", "skip": "linear_skip=True", "norm": "instance_norm='mean'"}
        assert net.whole_window == named.get(name, "")


@pytest.mark.parametrize("name", sorted(CAUSAL))
def test_what_is_causal_makes_of_a_row_what_that_row_and_those_before_say(name):
    net = NETWORKS[name]().eval()
    past, _, series = make_inputs(net)
    changed = past.clone()
    changed[:, 4:] += 10
    (before, _), (after, _) = net.encode(past, series), net.encode(changed, series)
    torch.testing.assert_close(after[:, :4], before[:, :4], rtol=0, atol=0)
    assert (after[:, 4:] != before[:, 4:]).any(dim=2).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_reads_the_series_where_it_says_so(name):
    net = NETWORKS[name]().eval()
    past, known, series = make_inputs(net)
    assert net.reads_series == (name in ("series", "nothing known", "mlp of series"))
    assert torch.equal(net(past, known, series)[0], net(past, known, series + 1)[0]) != net.reads_series


STATIC = {"n_static": 2, **RECURRENT}
DESCRIBED = {
    "lstm": partial(EncoderDecoder, **STATIC),
    "series": partial(EncoderDecoder, **STATIC, n_series=3, series_embedding=2),
    "nothing known": partial(EncoderDecoder, **STATIC | {"n_known": 0}),
    "dlinear": partial(LinearForecaster, **SIZES, n_static=2, window=6, kernel_size=3),
    "mlp": partial(MLP, **SIZES, n_static=2, window=6, hidden_sizes=(5,)),
    "mlp of series": partial(MLP, **SIZES, n_static=2, window=6, hidden_sizes=(5,), n_series=3, series_embedding=2),
    "norm": lambda: InstanceNorm(DESCRIBED["lstm"], PointHead(), "mean", [1, 3], [0.5, 2.0], [1.0, 0.0]),
}


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_network_reads_what_describes_the_series_of_each_window(name):
    net, static = DESCRIBED[name]().eval(), torch.randn(2, 2)
    inputs = make_inputs(net)
    assert net.reads_static
    forecast = net(*inputs, static=static)[0]
    moved = net(*inputs, static=static + torch.tensor([[0.0, 0.0], [0.0, 1.0]]))[0]
    torch.testing.assert_close(moved[0], forecast[0], rtol=0, atol=0)
    assert not torch.equal(moved[1], forecast[1])
    if net.causal:
        past, known, series = inputs
        encoded, _ = net.encode(past, series, static=static)
        torch.testing.assert_close(net.decode(encoded[:, -1], known, series, static=static), forecast)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_window_is_forecast_alike_alone_and_among_others(name):
    net = NETWORKS[name]().eval()
    inputs = make_inputs(net, n=3)
    together = net(*inputs)[0]
    alone = [net(*(None if values is None else values[i : i + 1] for values in inputs))[0] for i in range(3)]
    torch.testing.assert_close(torch.cat(alone), together)


@pytest.mark.parametrize("name", NETWORKS)
def test_many_threads_forecast_with_one_module(name):
    net = NETWORKS[name]().eval()
    inputs = [make_inputs(net, n) for n in (1, 2, 3, 4)]
    with torch.inference_mode():
        expected = [net(*own)[0] for own in inputs]
    wrong = []

    def forecast(own, expected):
        with torch.inference_mode():
            wrong.extend(not torch.equal(net(*own)[0], expected) for _ in range(20))

    threads = [threading.Thread(target=forecast, args=pair) for pair in zip(inputs, expected, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wrong) == 80
    assert not any(wrong)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_pickles(name):
    net = NETWORKS[name]().eval()
    inputs = make_inputs(net)
    assert torch.equal(pickle.loads(pickle.dumps(net))(*inputs)[0], net(*inputs)[0])


# --- a network of one's own ---------------------------------------------------------------------------------


class Sums(Forecaster):
    """Encodes the sum of all rows so far, and forecasts it."""

    causal = True

    def encode(self, past, series=None, state=None):
        encoded = past.cumsum(dim=1) + (0 if state is None else state[0][0][:, None])
        return encoded, (encoded[None, :, -1],)

    def decode(self, encoded, known=None, series=None):
        return encoded[:, None, :].expand(-1, 3, -1)


def test_encode_and_decode_make_a_forecast():
    past = torch.randn(2, 6, 4)
    forecast, state = Sums()(past)
    torch.testing.assert_close(forecast, past.sum(dim=1, keepdim=True).expand(2, 3, 4))
    _, half = Sums()(past[:, :2])
    torch.testing.assert_close(Sums()(past[:, 2:], state=half), (forecast, state))


def test_a_network_declares_nothing_by_itself():
    net = Forecaster()
    assert (net.lookahead, net.causal, net.whole_window) == (0, False, "")
    assert not net.reads_series
    assert not net.reads_static


def test_a_network_without_a_forecast_says_what_is_missing():
    class Empty(Forecaster):
        pass

    with pytest.raises(NotImplementedError, match="Empty has neither `forward` nor `encode` and `decode`"):
        Empty()(torch.randn(2, 6, 4))
