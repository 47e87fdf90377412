"""Pictures, in the manner of scikit-learn's Displays."""
