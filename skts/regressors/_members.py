"""Ensembles: networks that differ by their seeds."""

from typing import Any

from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.callback import AutoPropagatedCallback
from sklearn.utils.parallel import Parallel, delayed


def fit_members(
    ensemble: Any, seeds: NDArray[Any] | None, X: Any, y: Any, sample_weight: ArrayLike | None, epochs: int
) -> list[Any]:
    """Train every member on its own, as a separate fit with the member's seed would.

    Parameters
    ----------
    ensemble : estimator
        Its `n_jobs` members are trained at once; its callbacks are told.
    seeds : ndarray of shape (n_members,) or None
        None goes on with `ensemble.members_`.
    X, y, sample_weight
        As `fit` was given them.
    epochs : int
        For how long.

    Returns
    -------
    members : list of estimator
    """
    if seeds is None:
        members = [member.set_params(**_shared(ensemble)) for member in ensemble.members_]
    else:
        members = [make_member(ensemble, int(seed)) for seed in seeds]
    context = ensemble._init_callback_context(max_subtasks=len(members), sequential_subtasks=False)
    context.call_on_fit_task_begin(estimator=ensemble, X=X, y=y)
    contexts = [context.subcontext(task_name="member", task_id=i) for i in range(len(members))]
    fitted = Parallel(n_jobs=ensemble.n_jobs)(
        delayed(_fit_member)(ensemble, member, X, y, sample_weight, epochs, subcontext)
        for member, subcontext in zip(members, contexts, strict=True)
    )
    context.call_on_fit_task_end(estimator=ensemble, X=X, y=y)
    return list(fitted)


def make_member(ensemble: Any, seed: int) -> Any:
    """Give an estimator that fits as one member of the ensemble does."""
    member = clone(ensemble).set_params(n_members=1, n_jobs=None, random_state=seed)
    if ensemble.batch_size == "auto" and hasattr(ensemble, "batch_size_"):
        member.set_params(batch_size=ensemble.batch_size_, lr=ensemble.lr_)
    own = [callback for callback in getattr(ensemble, "_skl_callbacks", []) if not _is_told_by_ensemble(callback)]
    return member.set_callbacks(*own)


def _shared(ensemble: Any) -> dict[str, Any]:
    own = ("n_members", "n_jobs", "random_state")
    return {key: value for key, value in ensemble.get_params(deep=False).items() if key not in own}


def _is_told_by_ensemble(callback: Any) -> bool:
    return isinstance(callback, AutoPropagatedCallback)


def _fit_member(
    ensemble: Any, member: Any, X: Any, y: Any, sample_weight: ArrayLike | None, epochs: int, context: Any
) -> Any:
    context.call_on_fit_task_begin(estimator=ensemble, X=X, y=y)
    with context.propagate_callback_context(member):
        member._fit(X, y, sample_weight, go_on=member.__sklearn_is_fitted__(), epochs=epochs)
    context.call_on_fit_task_end(estimator=ensemble, X=X, y=y)
    return member
