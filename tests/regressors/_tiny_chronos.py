"""A Chronos-2 of a few random weights, as a folder: its class and its code are the package's own."""

import pytest
import torch

LEVELS = [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99]
READ, AHEAD = 64, 32  # rows that it has room for: of a window, of a horizon


def write_tiny_chronos(folder, seed=0):
    """Write it, or skip the test where the package is not installed."""
    pytest.importorskip("chronos")
    from chronos.chronos2 import Chronos2Model
    from chronos.chronos2.config import Chronos2CoreConfig

    sizes = {"context_length": READ, "input_patch_size": 4, "input_patch_stride": 4, "output_patch_size": 4}
    options = {"quantiles": LEVELS, "use_reg_token": True, "use_arcsinh": True, "max_output_patches": AHEAD // 4}
    config = Chronos2CoreConfig(
        d_model=16,
        d_kv=8,
        d_ff=16,
        num_layers=1,
        num_heads=2,
        initializer_factor=0.6,
        chronos_pipeline_class="Chronos2Pipeline",
        chronos_config=sizes | options,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        Chronos2Model(config).save_pretrained(folder)
    return str(folder)
