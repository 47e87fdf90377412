"""Trees of scikit-learn, whose numbers its compiled code follows without a look."""

from typing import Any

import numpy as np

from skts.exceptions import SavedFileError
from skts.persistence._types import name_of

_LEAF = -1
_TREE = "sklearn.tree._tree.Tree"
_PREDICTOR = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
# whose trees are given rows without another check
_FORESTS = {f"sklearn.ensemble.{name}" for name in ("_forest", "_gb", "_iforest")}


def check_trees(part: Any) -> None:
    """Refuse an estimator whose trees lead outside of their own nodes, or read columns that there are not.

    Parameters
    ----------
    part : object
        What is no such estimator is left alone.
    """
    state = vars(part)
    held = [state.get(name) for name in ("tree_", "_predictors")]
    if type(part).__module__ in _FORESTS:
        held.append(state.get("estimators_"))
    trees = [tree for each in held for tree in _trees_in(each)]
    if not trees:
        return
    n_features = state.get("n_features_in_")
    if not isinstance(n_features, int | np.integer):
        raise SavedFileError("trees of an estimator that does not say how many columns it is given")
    for tree in trees:
        _check_tree(tree, int(n_features))


def _trees_in(held: Any) -> list[Any]:
    if name_of(type(held)) in (_TREE, _PREDICTOR):
        return [held]
    if isinstance(held, np.ndarray) and held.dtype == object:
        held = held.ravel().tolist()
    if isinstance(held, list | tuple):
        return [tree for each in held for tree in _trees_in(each)]
    return _trees_in(vars(held).get("tree_")) if hasattr(held, "__dict__") and "tree_" in vars(held) else []


def _check_tree(tree: Any, n_features: int) -> None:
    if name_of(type(tree)) == _TREE:
        left, right, column = tree.children_left, tree.children_right, tree.feature
        is_leaf = left == _LEAF
        is_wrong = not (len(left) == tree.node_count > 0) or tree.n_features > n_features
        limit = tree.n_features
    else:
        nodes = tree.nodes
        left, right, column = (nodes[name].astype(np.int64) for name in ("left", "right", "feature_idx"))
        is_leaf = nodes["is_leaf"].astype(bool)
        limit = n_features
        bits = nodes["bitset_idx"].astype(np.int64)[~is_leaf & nodes["is_categorical"].astype(bool)]
        n_bits = min(len(tree.raw_left_cat_bitsets), len(tree.binned_left_cat_bitsets))
        is_wrong = len(nodes) == 0 or nodes.ndim != 1 or bool(((bits < 0) | (bits >= n_bits)).any())
    own = np.arange(len(left))[~is_leaf]
    for children in (left[~is_leaf], right[~is_leaf]):  # later nodes only, so that no way is without end
        is_wrong = is_wrong or bool(((children <= own) | (children >= len(left))).any())
    if is_wrong or bool(((column[~is_leaf] < 0) | (column[~is_leaf] >= limit)).any()):
        raise SavedFileError("a tree whose branches lead nowhere")
