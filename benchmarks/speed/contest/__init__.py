"""The contenders of time_to_accuracy.py, each in a file that reads by itself."""
