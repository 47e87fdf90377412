"""Names for what is refused together, in the data of the tests and on their page."""

from tests.hostile._subjects import SUBJECTS

NETWORKS = [
    *("LSTMRegressor", "GRURegressor", "DLinearRegressor", "NLinearRegressor", "NetRegressor", "TransformerRegressor"),
    *("SourceAttentionRegressor", "EnsembleRegressor"),
]
REGRESSORS = [*NETWORKS, "WindowedRegressor", "PerSeriesRegressor", "RecursiveRegressor"]
ASKED_ONCE_FITTED = ["memory_profile", "feature_importance", "ForecastDisplay and ErrorByLeadDisplay"]
FORECASTERS = [*REGRESSORS, "backtest", "check_leakage", "history_curve", *ASKED_ONCE_FITTED]
CUTTERS = ["HistoryPrepender", "SlidingWindower", *FORECASTERS]
FEATURES = ["CalendarFeatures", "WindFeatures", "SolarFeatures", "NeighbourFeatures"]
SPLITTERS = ["PanelTimeSeriesSplit", "PurgedPanelKFold", "LeaveSeriesOut"]
GROUPS = {
    "all that read times": [name for name in SUBJECTS if name not in ("WindFeatures", "ignore_missing")],
    "all that read dated rows": [
        name for name in SUBJECTS if name not in ("WindFeatures", "ignore_missing", "backtest")
    ],
    "all that read values": [*CUTTERS, *FEATURES],
    "all that need times in order": [
        *CUTTERS,
        "PanelTimeSeriesSplit",
        "PurgedPanelKFold",
        "metrics",
        "PanelDisplay and SplitDisplay",
    ],
    "all that cut windows": CUTTERS,
    "all that cut windows but the recursive": [name for name in CUTTERS if name != "RecursiveRegressor"],
    "all that forecast": FORECASTERS,
    "the regressors": REGRESSORS,
    "what is asked of a fitted one": ASKED_ONCE_FITTED,
    "the networks": NETWORKS,
    "the features": FEATURES,
    "the splitters": SPLITTERS,
}


def members(text):
    """Give the subjects that a comma-separated list of them and of groups names."""
    return [one for name in text.split(", ") for one in GROUPS.get(name, [name])]


def in_words(subjects):
    """Write subjects with few names."""
    left, words = dict.fromkeys(subjects), []
    for name, group in GROUPS.items():
        if left.keys() >= set(group):
            words.append(name)
            left = {one: None for one in left if one not in group}
    return ", ".join([*words, *left])
