"""A callback of scikit-learn's protocol that remembers what it was told."""


class Recorder:
    """Remember every event as (event, estimator's name, task's name, number of the task).

    Parameters
    ----------
    max_propagation_depth : int or None, default=None
        How many levels of estimators below the one that it is set on are watched.
    """

    def __init__(self, max_propagation_depth=None):
        self.max_propagation_depth = max_propagation_depth
        self.events = []
        self.n_subtasks = {}

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", context.estimator_name, context.task_name, context.task_id))
        self.n_subtasks[context.estimator_name, context.task_name] = context.max_subtasks

    def on_fit_task_end(self, estimator, context):
        self.events.append(("end", context.estimator_name, context.task_name, context.task_id))

    def ended(self, task_name):
        """The numbers of the tasks of a name that ended, in that order."""
        return [event[3] for event in self.events if event[0] == "end" and event[2] == task_name]
