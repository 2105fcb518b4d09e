"""Zero-shot evaluation: of the runs of a grid, and of any checkpoint by `python -m stilts.evaluate`.

Both answer cells (`store`) with one `evaluator`, and what either wrote can be scored and exported again
(`scoring`, `submission`). `stage` says what a run of a grid is asked; `request`, `planning` and `running`
what the command is. Nothing heavy is imported with this package: scoring and submissions need no torch.
"""

from stilts.run.folder import RunFolder
from stilts.run.specs import EvaluateSpec, RunSpec


def evaluate(run: RunFolder, spec: RunSpec, asked: EvaluateSpec) -> None:
    """Carries out a run of the stage `evaluate`."""
    from stilts.evaluate import stage

    stage.evaluate(run, spec, asked)
