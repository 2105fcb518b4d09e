"""What a run was asked, written by the launcher as `spec.json` and never changed."""

from stilts.run.specs.asked import (
    BaselineSpec,
    BatchSize,
    DeploySpec,
    EvaluateSpec,
    LatencySpec,
    Phase,
    PrepareSpec,
    Stage,
    Target,
    Text,
    TimedModel,
    TrainSpec,
    stages,
)
from stilts.run.specs.changes import differences, refuse_change
from stilts.run.specs.run import OtherVersion, RunSpec, plain

__all__ = [
    "BaselineSpec",
    "BatchSize",
    "DeploySpec",
    "EvaluateSpec",
    "LatencySpec",
    "OtherVersion",
    "Phase",
    "PrepareSpec",
    "RunSpec",
    "Stage",
    "Target",
    "Text",
    "TimedModel",
    "TrainSpec",
    "differences",
    "plain",
    "refuse_change",
    "stages",
]
