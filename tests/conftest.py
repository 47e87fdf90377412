import pytest
import torch

torch.set_num_threads(1)  # networks of a few units only wait for each other's threads, all the more on a busy machine


def pytest_collection_modifyitems(items):
    if not torch.cuda.is_available():
        for item in items:
            if "cuda" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="no CUDA device"))
