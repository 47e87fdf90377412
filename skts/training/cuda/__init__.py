"""Training steps that are recorded once as a CUDA graph, and replayed."""

from skts.training.cuda._captured_step import CapturedStep, Recorder, can_be_recorded, is_worth_recording
from skts.training.cuda._cuda_graph import CudaGraph

__all__ = ["CapturedStep", "CudaGraph", "Recorder", "can_be_recorded", "is_worth_recording"]
