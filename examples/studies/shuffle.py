"""May windows be shuffled, and should a batch mix stations?

Run: python examples/studies/shuffle.py [--seeds 0 1 2 3 4]
"""

import matplotlib.pyplot as plt
from _study import BATCH_SIZE, COLOURS, Study, cut, differences, interval, make_regressor, mean_absolute_error, said

STEPS = 1640  # of 64 windows: two epochs at stride 1
STRIDES = (1, 24)
MIXED = "shuffled, stations mixed"
ARMS = {
    MIXED: {},
    "shuffled, a station a batch": {"batches": "by_series"},
    "in order, a station after the other": {"net_params": {"iterator_train__shuffle": False}},
}


def run(study):
    """Train each arm with every seed on windows from every row, and on windows that share no target."""
    X, y, is_new = study.load()
    for stride in STRIDES:
        training, new = cut(X, is_new, stride=stride)
        n_epochs = max(1, round(study.steps(STEPS) * BATCH_SIZE / len(training)))  # whole ones: order has no subsample
        for seed in study.options.seeds:
            for arm, options in ARMS.items():
                regressor = make_regressor(seed, max_epochs=n_epochs, **options)
                study.timed(lambda: regressor.fit(training, y[~is_new]), arm=arm, stride=stride, seed=seed)  # noqa: B023
                steps = int(regressor.net_.optimizer_.state_dict()["state"][0]["step"])
                study.note(steps=steps, mae=round(mean_absolute_error(y[is_new], regressor.predict(new)), 2))
    study.save()


def report(study):
    """Write the table and draw the picture."""
    frame = study.frame()
    lines = [
        "| windows begin | order | MAE, kW | against shuffled and mixed | gradient steps |",
        "|---|---|---|---|---|",
    ]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
    for axis, (stride, part) in zip(axes, frame.groupby("stride"), strict=True):
        for place, arm in enumerate(ARMS):
            own = part[part["arm"] == arm]
            mean, half = interval(own["mae"])
            step = f"at every {'row' if stride == 1 else f'{stride}th row'}"
            against = "" if arm == MIXED else said(differences(part, arm, MIXED), sign=True)
            lines.append(f"| {step} | {arm} | {said((mean, half))} | {against} | {own['steps'].median():,.0f} |")
            axis.scatter(own["mae"], [place] * len(own), color=COLOURS[place], alpha=0.4, s=18)
            axis.errorbar(mean, place, xerr=half, color=COLOURS[place], marker="o", capsize=4, linewidth=2)
        axis.set(title=f"windows begin {step}", xlabel="mean absolute error, kW", ylim=(len(ARMS) - 0.5, -0.5))
        axis.set_yticks(range(len(ARMS)), list(ARMS))
        axis.grid(axis="x", alpha=0.3)
    study.write_table(lines)
    study.save_picture(figure)


if __name__ == "__main__":
    study = Study.start("shuffle", __doc__)
    if not study.options.redraw:
        run(study)
    report(study)
