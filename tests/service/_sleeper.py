"""A step that takes as long as a test wants."""

import time

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

CALM = 1000.0
LONGEST = 60.0


class Sleeper(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Sleeps as many seconds as the strongest wind is above 1000, 60 at most, and changes nothing."""

    def fit(self, X, y=None):
        self.feature_names_in_, self.n_features_in_ = np.asarray(X.columns, dtype=object), X.shape[1]
        return self

    def transform(self, X):
        time.sleep(float(np.clip(X["wind"].max() - CALM, 0, LONGEST)))
        return X

    def __sklearn_is_fitted__(self):
        return True
