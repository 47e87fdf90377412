"""What counts hops sees every function of the package once, and no others."""

from benchmarks import hops
from skts.metrics import skill_score


def test_a_call_goes_through_the_files_that_it_calls():
    found = hops.count_hops(skill_score, [1.0, 2.0], [1.0, 2.0], [0.0, 0.0])
    assert found["skts/metrics/_skill_score.py"] >= 1
    assert all(file.startswith("skts/") for file in found)


def test_fit_and_predict_go_from_the_estimator_to_the_network():
    for files in hops.count_fit_and_predict().values():
        assert {file.split("/")[1] for file in files} >= {"regressors", "training", "nn"}
