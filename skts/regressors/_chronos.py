"""Chronos-2 of the package chronos-forecasting: loaded once, and called on arrays."""

from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from skts._optional import load
from skts.training import seeded

_CPU = torch.device("cpu")
_loaded: WeakValueDictionary[tuple[Any, ...], Any] = WeakValueDictionary()


def load_pipeline(owner: str, model: str, device: torch.device) -> Any:
    """Load a model, or give the one that is loaded already: whoever uses the same shares its weights.

    Parameters
    ----------
    owner : str
        The estimator, for messages.
    model : str
        A folder, or the name of a model on the Hugging Face Hub.
    device : Device

    Returns
    -------
    pipeline : chronos.Chronos2Pipeline
        Dropped from memory with the last of its users.

    Raises
    ------
    ImportError
        The package chronos-forecasting is not installed.
    OSError
        No weights are there, nor can they be downloaded.
    ValueError
        What is there is no Chronos-2 model.
    """
    chronos = load("chronos", owner, install="chronos-forecasting")
    with seeded(0, _CPU):  # alone among threads, and whatever making a network draws is undone
        key = (*_identity(model), str(device))
        pipeline = _loaded.get(key)
        if pipeline is None:
            pipeline = _read(chronos.Chronos2Pipeline, owner, model)
            pipeline.model.to(device).eval().requires_grad_(False)
            _loaded[key] = pipeline
    return pipeline


def forecast_quantiles(
    pipeline: Any,
    past: NDArray[np.float32],
    ahead: NDArray[np.float32],
    groups: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Forecast some columns of windows in one pass of the model.

    Parameters
    ----------
    pipeline : chronos.Chronos2Pipeline
    past : ndarray of shape (n_windows, window, n_features)
    ahead : ndarray of shape (n_windows, horizon, n_features)
        NaN where a value is not known ahead.
    groups : ndarray of shape (n_windows,)
        Windows with the same number read each other.
    columns : ndarray of shape (n_targets,)

    Returns
    -------
    quantiles : ndarray of shape (n_windows, horizon, n_targets, n_levels)
        As the model gives them: levels may cross.
    """
    (n, horizon, n_features), size = ahead.shape, pipeline.model_output_patch_size
    n_patches = -(-horizon // size)
    future = np.full((n, n_features, n_patches * size), np.nan, dtype=np.float32)
    future[..., :horizon] = ahead.transpose(0, 2, 1)
    context = past.transpose(0, 2, 1).reshape(n * n_features, -1)  # (n V, L)
    with torch.no_grad():
        answer = pipeline.model(
            context=torch.from_numpy(context).to(pipeline.model.device),
            group_ids=torch.from_numpy(np.repeat(groups, n_features)).to(pipeline.model.device),
            future_covariates=torch.from_numpy(future.reshape(n * n_features, -1)).to(pipeline.model.device),
            num_output_patches=n_patches,
        ).quantile_preds  # (n V, Q, H rounded up)
        answer = answer.unflatten(0, (n, n_features))[:, torch.from_numpy(columns), :, :horizon]  # (n, T, Q, H)
    return answer.permute(0, 3, 1, 2).double().cpu().numpy()


def _identity(model: str) -> tuple[Any, ...]:
    """Say which weights a name stands for; those of a folder that was written anew are others."""
    folder = Path(model)
    if not folder.is_dir():
        return (model,)
    return str(folder.resolve()), max((each.stat().st_mtime_ns for each in folder.iterdir()), default=0)


def _read(kind: Any, owner: str, model: str) -> Any:
    try:
        return kind.from_pretrained(model)
    except OSError as error:
        raise OSError(
            f"{owner}(model={model!r}): there is no such folder with a model (config.json, model.safetensors), and the "
            "Hugging Face Hub gives none of that name to this machine. Where there is internet, run `hf download "
            f"amazon/chronos-2 --local-dir chronos-2`, bring the folder here and give it: {owner}('chronos-2')."
        ) from error
    except (AssertionError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{owner}(model={model!r}): what is there cannot be read as a Chronos-2 model. Give 'amazon/chronos-2', or "
            "a folder that its save_pretrained wrote."
        ) from error
