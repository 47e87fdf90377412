"""What does the feed-forward network of a transformer add?

Run: python examples/studies/feed_forward.py [--seeds 0 1 2 3 4]
"""

import matplotlib.pyplot as plt
import torch
from _study import (
    BATCH_SIZE,
    HORIZON,
    WINDOW,
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

from skts import NetRegressor, TransformerRegressor
from skts.nn import Transformer

STEPS = 1640  # of 64 windows
SIZE, EXPANSIONS = 64, (0, 1, 2, 4, 8)
USUAL = {"dropout": 0.1, "lr": 2e-3, "lr_schedule": "one_cycle", "batch_size": BATCH_SIZE, "device": "cpu"}
EQUAL = "as many parameters"
WIDTH = "tokens of 64 numbers"
REFERENCE = {EQUAL: "expansion 4", WIDTH: "both"}


class WithoutOutputProjection(Transformer):
    """A transformer whose heads write their numbers onto the token as they are, each onto its own share."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for block in self.blocks:
            block.attention.output = nn.Identity()


def count(size, expansion):
    """Count the parameters of a network of the size of this study: 11 columns, of which 10 are known."""
    network = Transformer(11, 10, 1, HORIZON, WINDOW, hidden_size=size, ffn_expansion=expansion)
    return sum(weights.numel() for weights in network.parameters())


def size_of(expansion):
    """Give the size of a token, a multiple of the 4 heads, that makes about as many parameters as 64 and 4."""
    wanted = count(SIZE, 4)
    return min(range(4, 129, 4), key=lambda size: abs(count(size, expansion) - wanted))


def make_arms():
    """Give every arm by its case and name: a function from a seed to a regressor."""

    def transformer(size, expansion):
        return lambda seed, **options: TransformerRegressor(
            size, ffn_expansion=expansion, random_state=seed, **USUAL, **options
        )

    def unprojected(expansion):
        params = {"hidden_size": SIZE, "ffn_expansion": expansion, "dropout": USUAL["dropout"]}
        usual = {name: value for name, value in USUAL.items() if name != "dropout"}
        return lambda seed, **options: NetRegressor(
            WithoutOutputProjection, params, random_state=seed, **usual, **options
        )

    with torch.random.fork_rng(devices=[]):  # whose networks are only counted
        equal = {f"expansion {number}": transformer(size_of(number), number) for number in EXPANSIONS}
    width = {
        "both": transformer(SIZE, 4),
        "output projection alone": transformer(SIZE, 0),
        "feed-forward network alone": unprojected(4),
        "neither": unprojected(0),
    }
    return {EQUAL: equal, WIDTH: width}


def run(study):
    """Train each arm with every seed for the same number of gradient steps."""
    X, y, is_new = study.load()
    training, new = cut(X, is_new)
    for seed in study.options.seeds:
        for case, arms in make_arms().items():
            for arm, make in arms.items():
                regressor = make(seed, **for_steps(len(training), study.steps(STEPS)))
                study.timed(lambda: regressor.fit(training, y[~is_new]), arm=arm, case=case, seed=seed)  # noqa: B023
                module = regressor.net_.module_
                study.note(
                    size=module.places.shape[1],
                    parameters=sum(weights.numel() for weights in module.parameters()),
                    mae=round(mean_absolute_error(y[is_new], regressor.predict(new)), 2),
                )
    study.save()


def report(study):
    """Write the table and draw the picture."""
    frame = study.frame()
    heads = ["at equal", "", "size of a token", "parameters", "MAE, kW", "against", "seconds of a fit"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    figure, axes = plt.subplots(2, 1, figsize=(8, 6), sharex=True, layout="constrained")
    for axis, (case, arms) in zip(axes, make_arms().items(), strict=True):
        part = frame[frame["case"] == case]
        for arm in arms:
            own, usual = part[part["arm"] == arm], REFERENCE[case]
            against = "" if arm == usual else f"{said(differences(part, arm, usual), sign=True)}"
            cells = [
                *(case, arm, f"{own['size'].iloc[0]}", f"{own['parameters'].iloc[0]:,}"),
                *(said(interval(own["mae"])), against, f"{own['seconds'].median():.0f}"),
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
