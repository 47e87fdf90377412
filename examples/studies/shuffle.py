"""May windows be shuffled, and should a batch mix stations?

Run: python examples/studies/shuffle.py [--seeds 0 1 2 3 4]
"""

import matplotlib.pyplot as plt
from _study import BATCH_SIZE, Study, cut, differences, draw_arms, interval, make_regressor, mean_absolute_error, said

STEPS = 1640  # of 64 windows: two epochs at stride 1
CASES = {  # stride, and how the learning rate moves
    "windows begin at every row": (1, "one_cycle"),
    "at every row, constant learning rate": (1, "constant"),
    "windows begin at every 24th row": (24, "one_cycle"),
}
MIXED = "shuffled, stations mixed"
ARMS = {
    MIXED: {},
    "shuffled, a station a batch": {"net_params": {"iterator_train__by_series": True}},
    "in order, a station after the other": {"net_params": {"iterator_train__shuffle": False}},
}


def run(study):
    """Train each arm with every seed on windows from every row, and on windows that share no target."""
    X, y, is_new = study.load()
    for case, (stride, schedule) in CASES.items():
        training, new = cut(X, is_new, stride=stride)
        n_epochs = max(1, round(study.steps(STEPS) * BATCH_SIZE / len(training)))  # whole ones: order has no subsample
        for seed in study.options.seeds:
            for arm, options in ARMS.items():
                regressor = make_regressor(seed, max_epochs=n_epochs, lr_schedule=schedule, **options)
                study.timed(lambda: regressor.fit(training, y[~is_new]), arm=arm, case=case, seed=seed)  # noqa: B023
                steps = int(regressor.net_.optimizer_.state_dict()["state"][0]["step"])
                study.note(steps=steps, mae=round(mean_absolute_error(y[is_new], regressor.predict(new)), 2))
    study.save()


def report(study):
    """Write the table and draw the picture."""
    frame = study.frame()
    heads = ["", "order", "MAE, kW", "against shuffled and mixed", "gradient steps"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    figure, axes = plt.subplots(len(CASES), 1, figsize=(8, 6), sharex=True, layout="constrained")
    for axis, case in zip(axes, CASES, strict=True):
        part = frame[frame["case"] == case]
        for arm in ARMS:
            own = part[part["arm"] == arm]
            against = "" if arm == MIXED else said(differences(part, arm, MIXED), sign=True)
            lines.append(
                f"| {case} | {arm} | {said(interval(own['mae']))} | {against} | {own['steps'].median():,.0f} |"
            )
        draw_arms(axis, part, ARMS)
        axis.set_title(case)
    axes[-1].set_xlabel("mean absolute error, kW: seeds, their mean and its 95 % interval")
    study.write_table(lines)
    study.save_picture(figure)


if __name__ == "__main__":
    study = Study.start("shuffle", __doc__)
    if not study.options.redraw:
        run(study)
    report(study)
