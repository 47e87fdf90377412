import numpy as np
import pytest
import torch

from skts.nn import QuantileHead, SourceAttention
from skts.nn._source_attention import SourceDropout, SourceScores, weights_of

SOURCES, KNOWN = [[0, 1], [2], [3, 4]], [0, 2, 4, 5]  # column 5 is in none
SIZES = {"n_features": 6, "n_known": 4, "n_targets": 2, "horizon": 3, "sources": SOURCES, "known": KNOWN}


def make(**options):
    torch.manual_seed(0)
    return SourceAttention(**SIZES | {"hidden_size": 5} | options).eval()


@pytest.fixture
def past():
    return torch.randn(4, 7, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def known():
    return torch.randn(4, 3, 4, generator=torch.Generator().manual_seed(1))


def by_hand(net, row):
    """The weights and their sum at one row of a window, by the formulas of the textbook."""
    encoded = []  # of each source, layer by layer
    for source, first, further in zip(SOURCES, net.past.first, net.past.further, strict=True):
        layers = [torch.tanh(first(row[[*source, 5]]))]
        for layer in further:
            layers.append(layers[-1] + torch.tanh(layer(layers[-1])))
        encoded.append([(z - z.mean()) / (z.var(correction=0) + 1e-5).sqrt() for z in layers])
    mixed, of_sources = [], []
    for layer in range(len(encoded[0])):
        z = torch.stack([one[layer] for one in encoded])
        w = net.weigh_sources
        own = range(len(SOURCES)) if len(w.query) > 1 else [0] * len(SOURCES)
        scores = [w.query[o] @ torch.tanh(w.projection[o].T @ z[s] + w.bias[o]) for s, o in enumerate(own)]
        of_sources.append(torch.softmax(torch.stack(scores), dim=0))
        mixed.append(of_sources[-1] @ z)
    w = net.weigh_layers
    scores = [w.query[0] @ torch.tanh(w.projection[0].T @ z + w.bias[0]) for z in mixed]
    of_layers = torch.softmax(torch.stack(scores), dim=0)
    return of_layers @ torch.stack(of_sources), of_layers @ torch.stack(mixed)


@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("shared", [True, False])
def test_weights_are_those_of_the_formulas(past, shared, num_layers):
    net = make(shared=shared, num_layers=num_layers)
    expected = [by_hand(net, row)[0] for row in past[0]]
    torch.testing.assert_close(net.weights_of_window(past)[0], torch.stack(expected))
    mixed, _ = net._mix(net.past, past, None, None)
    torch.testing.assert_close(mixed[0, 2], by_hand(net, past[0, 2])[1])


def test_one_projection_scores_all_sources_or_each_has_its_own():
    vectors = torch.randn(1, 1, 5).expand(1, 3, 5)
    assert len(set(SourceScores(3, 5, shared=True)(vectors)[0].tolist())) == 1
    assert len(set(SourceScores(3, 5, shared=False)(vectors)[0].tolist())) == 3


@pytest.mark.parametrize("options", [{}, {"shared": False}, {"series_embedding": 2, "n_series": 4, "lookahead": 2}])
def test_weights_sum_to_one_over_the_sources(past, known, options):
    net = make(**options)
    series = torch.arange(4) if options.get("series_embedding") else None
    known = torch.cat([known, known[:, : net.lookahead]], dim=1)
    for weights in (net.weights_of_window(past, series), net.weights_ahead(known, series)):
        torch.testing.assert_close(weights.sum(dim=2), torch.ones(weights.shape[:2]))
        assert (weights > 0).all()


def test_a_source_that_is_missing_weighs_nothing_and_says_nothing(past, known):
    net = make()
    past[:, 2:5, [3, 4]] = torch.nan
    known[:, 1, 2] = torch.nan  # the one column of source 2 that is known
    window, ahead = net.weights_of_window(past), net.weights_ahead(known)
    assert (window[:, 2:5, 2] == 0).all()
    assert (window[:, [0, 1, 5, 6], 2] > 0).all()
    assert (ahead[:, 1, 2] == 0).all()
    assert (ahead[:, [0, 2], 2] > 0).all()
    torch.testing.assert_close(window.sum(dim=2), torch.ones(4, 7))
    assert torch.isfinite(net(past, known)[0]).all()
    mixed, _ = net._mix(net.past, past, None, None)
    with torch.no_grad():
        net.past.first[2].bias += torch.arange(5.0)  # of the encoder that is not asked
    changed, weights = net._mix(net.past, past, None, None)
    torch.testing.assert_close(changed[:, 2:5], mixed[:, 2:5])
    torch.testing.assert_close(weights[:, 2:5], window[:, 2:5])
    assert not torch.isclose(changed[:, 5], mixed[:, 5]).all()


def test_where_every_source_is_missing_zeros_are_read(past, known):
    net = make(shared=False)
    past[0, :, :5] = torch.nan
    known[0, :, :3] = torch.nan
    assert (net._mix(net.past, past, None, None)[0][0] == 0).all()
    assert (net.weights_ahead(known)[0] == 0).all()
    forecast, _ = net(past, known)
    assert torch.isfinite(forecast).all()
    forecast.sum().backward()
    assert all(torch.isfinite(one.grad).all() for one in net.parameters() if one.grad is not None)


def test_a_single_hole_leaves_a_source_there(past):
    past[:, 3, 0] = torch.nan
    assert (make().weights_of_window(past)[:, 3] > 0).all()


def test_a_source_without_known_columns_weighs_nothing_over_the_horizon(past):
    net = make(n_known=2, known=[2, 5])
    known = torch.randn(4, 3, 2)
    torch.testing.assert_close(net.weights_ahead(known), torch.tensor([0.0, 1.0, 0.0]).expand(4, 3, 3))
    assert torch.isfinite(net(past, known)[0]).all()
    alone = make(n_known=1, known=[5])  # of no source
    assert (alone.weights_ahead(known[..., :1]) == 0).all()
    assert torch.isfinite(alone(past, known[..., :1])[0]).all()
    assert make(n_known=0, known=[])(past)[0].shape == (4, 3, 2)


def test_what_is_made_of_a_row_depends_on_no_later_one(past, known):
    net = make()
    encoded, _ = net.encode(past)
    torch.testing.assert_close(net.encode(past[:, :4])[0], encoded[:, :4])
    _, state = net.encode(past[:, :4])
    torch.testing.assert_close(net.encode(past[:, 4:], state=state)[0], encoded[:, 4:])
    assert net.causal


def test_weights_may_differ_by_the_lead_alone(known):
    net = make()
    same = known[:, :1].expand(-1, 3, -1)
    torch.testing.assert_close(net.weights_ahead(same)[:, 0], net.weights_ahead(same)[:, 2])
    with torch.no_grad():
        net.known.leads[0, 2] += 1.0
    changed = net.weights_ahead(same)
    assert (changed[:, 0] != changed[:, 2]).all()
    torch.testing.assert_close(changed[:, 0], changed[:, 1])


def test_the_columns_of_no_source_are_read_by_all_and_never_weighed(past):
    net = make()
    weights = net.weights_of_window(past)
    assert weights.shape == (4, 7, 3)
    past[..., 5] += 1.0
    assert (net.weights_of_window(past) != weights).all()


def test_dropout_takes_whole_sources_but_never_all_that_are_there():
    torch.manual_seed(0)
    is_there = torch.ones(2000, 4, 3, dtype=torch.bool)
    is_there[:, 1, 1:] = False  # only the first
    is_there[:, 2] = False
    dropped = SourceDropout(0.5).train()(is_there)
    whole = dropped[:, [0, 3]]
    assert (whole[:, :1] == whole).all(), "from all rows of a window or from none"
    assert dropped[:, [0, 1, 3]].any(dim=2).all()
    assert (dropped[:, 1] == is_there[:, 1]).all()
    assert not dropped[:, 2].any()
    n_left = whole[:, 0].sum(dim=1).bincount(minlength=4) / 2000
    np.testing.assert_allclose(n_left, [0, 3 / 8, 3 / 8, 2 / 8], atol=0.05)  # none left: nothing is dropped
    assert (SourceDropout(0.5).eval()(is_there) == is_there).all()


def test_dropout_trains_as_if_the_source_were_missing(past, known):
    net = make(source_dropout=0.999).train()
    torch.manual_seed(0)
    weights = net.weights_of_window(past.expand(4, -1, -1))
    assert ((weights == 0).sum(dim=2) == 0).all()  # all three are drawn nearly always, and then all stay
    net.source_dropout.p = 0.5
    found = torch.cat([net.weights_of_window(past)[:, 0] for _ in range(20)])
    assert set((found == 0).sum(dim=1).tolist()) == {0, 1, 2}
    torch.testing.assert_close(found.sum(dim=1), torch.ones(80))


def test_weights_of_what_is_not_there_are_exactly_zero():
    scores = torch.tensor([[1.0, 2.0, 50.0], [1.0, 2.0, -50.0], [0.0, 0.0, 0.0]])
    is_there = torch.tensor([[True, True, False], [False, False, True], [False, False, False]])
    weights = weights_of(scores, is_there)
    torch.testing.assert_close(weights[0, :2], torch.softmax(scores[0, :2], dim=0))
    assert weights[0, 2] == 0
    assert weights[1].tolist() == [0, 0, 1]
    assert weights[2].tolist() == [0, 0, 0]


def test_heads_of_any_kind(past, known):
    assert make(head=QuantileHead((0.1, 0.9)))(past, known)[0].shape == (4, 3, 2, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sources": []}, "at least one source"),
        ({"sources": [[0], []]}, "at least one column in each"),
        ({"sources": [[0, 1], [1]]}, "none of them in two sources"),
        ({"sources": [[0], [6]]}, "positions from 0 to 5"),
        ({"known": [0, 1]}, r"the windows have 4 known columns. Give the positions of all"),
    ],
)
def test_columns_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)
