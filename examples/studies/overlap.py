"""How much do overlapping windows teach: stride, similarity and subsamples, their error and their time.

Run: python examples/studies/overlap.py [--seeds 0 1 2 3 4]
"""

import matplotlib.pyplot as plt
from _study import COLOURS, Study, cut, differences, for_steps, interval, make_regressor, mean_absolute_error, said

from skts.inspection import effective_sample_size

STEPS = (200, 1640)  # of 64 windows
ALL = "stride 1"
ARMS = {
    ALL: {},
    "stride 3": {"stride": 3},
    "stride 6": {"stride": 6},
    "stride 12": {"stride": 12},
    "stride 24": {"stride": 24},
    "stride 72": {"stride": 72},
    "similarity below 0.9": {"max_similarity": 0.9},
    "similarity below 0.5": {"max_similarity": 0.5},
    "stride 1, a tenth anew each epoch": {},
}


def run(study):
    """Train every arm for a short and for a long time."""
    X, y, is_new = study.load()
    for arm, windower in ARMS.items():
        training, new = cut(X, is_new, **windower)
        worth = effective_sample_size(training, y[~is_new])
        for n_steps in STEPS:
            length = for_steps(len(training), study.steps(n_steps))
            if "tenth" in arm:
                length = for_steps(len(training) / 10, study.steps(n_steps))
                length["subsample"] /= 10
            for seed in study.options.seeds:
                regressor = make_regressor(seed, **length)
                study.timed(lambda: regressor.fit(training, y[~is_new]), arm=arm, budget=n_steps, seed=seed)  # noqa: B023
                steps = int(regressor.net_.optimizer_.state_dict()["state"][0]["step"])
                error = round(mean_absolute_error(y[is_new], regressor.predict(new)), 2)
                study.note(
                    windows=len(training), worth=round(worth), epochs=length["max_epochs"], steps=steps, mae=error
                )
    study.save()


def report(study):
    """Write the table and draw the picture."""
    frame = study.frame()
    heads = [f"MAE after {steps:,} steps, kW | against stride 1 | s" for steps in STEPS]
    lines = [f"| windows | how many | worth | {' | '.join(heads)} |", "|---" * (3 + 3 * len(STEPS)) + "|"]
    figure, axis = plt.subplots(figsize=(8, 4), layout="constrained")
    for number, budget in enumerate(STEPS):
        part = frame[frame["budget"] == budget]
        means = [interval(part.loc[part["arm"] == arm, "mae"]) for arm in ARMS]
        places = [place + 0.2 * number - 0.1 for place in range(len(ARMS))]
        axis.errorbar(
            [mean for mean, _ in means],
            places,
            xerr=[half for _, half in means],
            color=COLOURS[number],
            marker="o",
            capsize=3,
            linestyle="none",
            label=f"{budget:,} gradient steps",
        )
    axis.set_yticks(range(len(ARMS)), list(ARMS))
    axis.set(xlabel="mean absolute error, kW", ylim=(len(ARMS) - 0.5, -0.5))
    axis.grid(axis="x", alpha=0.3)
    axis.legend()
    for arm in ARMS:
        own = frame[frame["arm"] == arm]
        cells = []
        for budget in STEPS:
            part = frame[frame["budget"] == budget]
            mine = part[part["arm"] == arm]
            against = "" if arm == ALL else said(differences(part, arm, ALL), sign=True)
            cells.append(f"{said(interval(mine['mae']))} | {against} | {mine['seconds'].median():.1f}")
        lines.append(f"| {arm} | {own['windows'].iloc[0]:,} | {own['worth'].iloc[0]:,} | {' | '.join(cells)} |")
    study.write_table(lines)
    study.save_picture(figure)


if __name__ == "__main__":
    study = Study.start("overlap", __doc__)
    if not study.options.redraw:
        run(study)
    report(study)
