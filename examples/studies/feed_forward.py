"""What does the feed-forward network of a transformer add?

Run: python examples/studies/feed_forward.py [--seeds 0 1 2 3 4]
"""

import matplotlib.pyplot as plt
from _study import (
    BATCH_SIZE,
    Study,
    cut,
    differences,
    draw_arms,
    for_steps,
    interval,
    mean_absolute_error,
    said,
)
from torch import nn

from skts import NetRegressor
from skts.nn import Transformer

STEPS = 1640  # of 64 windows
USUAL = {"lr": 2e-3, "lr_schedule": "one_cycle", "batch_size": BATCH_SIZE, "device": "cpu"}
PARAMETERS, SIZE = "as many parameters", "tokens of 32 numbers"
ARMS = {  # the case, the numbers of a token, the expansion, and whether there is an output projection
    "expansion 0": (PARAMETERS, 52, 0, True),
    "expansion 1": (PARAMETERS, 44, 1, True),
    "expansion 2": (PARAMETERS, 36, 2, True),
    "expansion 4": (PARAMETERS, 32, 4, True),
    "expansion 8": (PARAMETERS, 24, 8, True),
    "both": (SIZE, 32, 4, True),
    "output projection alone": (SIZE, 32, 0, True),
    "feed-forward network alone": (SIZE, 32, 4, False),
    "neither": (SIZE, 32, 0, False),
}
REFERENCE = {PARAMETERS: "expansion 4", SIZE: "both"}


class WithoutOutputProjection(Transformer):
    """A transformer whose heads write their numbers onto the token as they are, each onto its own share."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for block in self.blocks:
            block.attention.output = nn.Identity()


def make(arm, seed, **options):
    """Make the regressor of an arm."""
    _, size, expansion, has_projection = ARMS[arm]
    network = Transformer if has_projection else WithoutOutputProjection
    params = {"hidden_size": size, "ffn_expansion": expansion, "dropout": 0.1}
    return NetRegressor(network, params, random_state=seed, **USUAL, **options)


def run(study):
    """Train each arm with every seed for the same number of gradient steps."""
    X, y, is_new = study.load()
    training, new = cut(X, is_new)
    for seed in study.options.seeds:
        for arm, (case, size, _, _) in ARMS.items():
            regressor = make(arm, seed, **for_steps(len(training), study.steps(STEPS)))
            study.timed(lambda: regressor.fit(training, y[~is_new]), arm=arm, case=case, seed=seed, size=size)  # noqa: B023
            parameters = sum(weights.numel() for weights in regressor.net_.module_.parameters())
            mae = round(mean_absolute_error(y[is_new], regressor.predict(new)), 2)
            study.note(parameters=parameters, mae=mae)
    study.save()


def report(study):
    """Write the table and draw the picture."""
    frame = study.frame()
    heads = ["at equal", "", "size of a token", "parameters", "MAE, kW", "against"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    figure, axes = plt.subplots(2, 1, figsize=(8, 6), sharex=True, layout="constrained")
    for axis, case in zip(axes, REFERENCE, strict=True):
        part = frame[frame["case"] == case]
        arms = [arm for arm in ARMS if ARMS[arm][0] == case]
        for arm in arms:
            own, usual = part[part["arm"] == arm], REFERENCE[case]
            against = "" if arm == usual else said(differences(part, arm, usual), sign=True)
            cells = [
                *(case, arm, f"{own['size'].iloc[0]}", f"{own['parameters'].iloc[0]:,}"),
                *(said(interval(own["mae"])), against),
            ]
            lines.append(f"| {' | '.join(cells)} |")
        draw_arms(axis, part, arms)
        axis.set_title(case)
    axes[-1].set_xlabel("mean absolute error, kW: seeds, their mean and its 95 % interval")
    study.write_table(lines)
    study.save_picture(figure)


if __name__ == "__main__":
    study = Study.start("feed_forward", __doc__)
    if not study.options.redraw:
        run(study)
    report(study)
