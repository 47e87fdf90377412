"""The parameters that regressors have: documented, plain, and as many as a reader can take in."""

import ast
import inspect
import re

import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skts import (
    DLinearRegressor,
    GRURegressor,
    LSTMRegressor,
    NetRegressor,
    NLinearRegressor,
    SlidingWindower,
    SourceAttentionRegressor,
    TransformerRegressor,
)
from skts.datasets import make_panel
from skts.exceptions import NonFiniteLossError
from skts.nn import LinearForecaster

RECURRENT = [LSTMRegressor, GRURegressor]
ALL = [*RECURRENT, DLinearRegressor, NLinearRegressor, NetRegressor, SourceAttentionRegressor, TransformerRegressor]
REQUIRED = {NetRegressor: {"network": LinearForecaster}}
OWN_WORDS = {  # of what depends on the network
    NetRegressor: {"instance_norm", "origins_per_pass", "rolling", "embedding_by"},
    SourceAttentionRegressor: {"hidden_size", "num_layers", "dropout", "origins_per_pass", "rolling"},
    TransformerRegressor: {"hidden_size", "num_layers", "dropout", "lookahead", "patch_len", "series_embedding"},
}


def real_defaults(regressor):
    parameters = inspect.signature(regressor).parameters
    return {
        name: parameter.default for name, parameter in parameters.items() if name not in REQUIRED.get(regressor, {})
    }


def make(regressor, **params):
    return regressor(**REQUIRED.get(regressor, {}), **params)


def documented(regressor):
    """Map each parameter of the docstring to its type, its default and what it says, in one line."""
    section = inspect.getdoc(regressor).split("Parameters\n----------\n")[1].split("\n\nAttributes\n")[0]
    entries = re.findall(r"^(\w+) : (.+), default=(.+)\n((?:    .*\n?)+)", section, flags=re.MULTILINE)
    required = REQUIRED.get(regressor, {})
    assert all(re.search(rf"^{name} : .+\n    \S", section, flags=re.MULTILINE) for name in required)
    assert len(entries) == len(re.findall(r"^\S", section, flags=re.MULTILINE)) - len(required)
    return {name: (kind, ast.literal_eval(default), " ".join(text.split())) for name, kind, default, text in entries}


@pytest.mark.parametrize("regressor", ALL)
def test_every_parameter_is_documented_with_its_default(regressor):
    defaults = real_defaults(regressor)
    assert {name: default for name, (_, default, _) in documented(regressor).items()} == defaults
    required = REQUIRED.get(regressor, {})
    assert sorted(defaults | required) == sorted(regressor._parameter_constraints)
    assert make(regressor).get_params() == defaults | required


def test_a_network_has_no_more_parameters_than_can_be_taken_in():
    # 31: what is forecast (distribution, bounds, active) is each user's to say and stands in no other parameter
    assert all(len(real_defaults(regressor)) <= 31 for regressor in ALL)


def test_a_parameter_that_several_have_is_described_alike():
    known_to_all = set.intersection(*(set(real_defaults(regressor)) for regressor in ALL))
    texts = {}
    for regressor in ALL:
        for name, (kind, _, text) in documented(regressor).items():
            if name in OWN_WORDS.get(regressor, set()):
                continue
            aside = r" \([^()]*`(\w+)`[^()]*\)"  # a remark on a parameter that not all have
            text = re.sub(aside, lambda found: found[0] if found[1] in known_to_all else "", text)
            texts.setdefault(name, set()).add((kind, text))
    assert {name: several for name, several in texts.items() if len(several) > 1} == {}


@pytest.mark.parametrize("regressor", ALL)
def test_parameters_are_those_of_any_estimator(regressor):
    changed = {"max_epochs": 7, "quantiles": (0.1, 0.9), "random_state": 3}
    estimator = make(regressor, **changed)
    assert clone(estimator).get_params() == make(regressor).get_params() | changed
    assert make(regressor).set_params(**changed).get_params() == estimator.get_params()
    shown = ", ".join(f"{name}={value!r}" for name, value in sorted((REQUIRED.get(regressor, {}) | changed).items()))
    assert " ".join(repr(estimator).split()) == f"{regressor.__name__}({shown})"
    with pytest.raises(TypeError, match="unexpected keyword argument 'hiden_size'"):
        make(regressor, hiden_size=3)
    with pytest.raises(ValueError, match="Invalid parameter 'hiden_size' for estimator"):
        estimator.set_params(hiden_size=3)


def test_only_the_size_of_a_network_goes_without_a_name():
    assert LSTMRegressor(32).hidden_size == GRURegressor(32).hidden_size == 32
    for regressor in RECURRENT:
        with pytest.raises(TypeError, match="positional"):
            regressor(32, 2)


def test_only_the_kernel_of_a_linear_regressor_goes_without_a_name():
    assert DLinearRegressor(9).kernel_size == 9
    for regressor, given in ((DLinearRegressor, (9, 0.1)), (NLinearRegressor, (0.1,))):
        with pytest.raises(TypeError, match="positional"):
            regressor(*given)


@pytest.mark.parametrize("regressor", ALL)
def test_two_estimators_are_equal_only_if_they_are_one(regressor):
    one = make(regressor)
    assert one == one
    assert one != make(regressor)
    assert len({one, make(regressor)}) == 2


def test_a_fit_that_failed_is_not_fitted():
    X, y = make_panel(n_series=1, n_rows=60, random_state=0)
    windows = SlidingWindower(12, 1).fit_transform(X)
    regressor = LSTMRegressor(4, max_epochs=3, device="cpu").fit(windows, y).set_params(lr=1e30)
    with pytest.raises(NonFiniteLossError):
        regressor.fit(windows, y)
    with pytest.raises(NotFittedError):
        regressor.predict(windows)
