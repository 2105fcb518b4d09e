"""Zero-shot evaluation: of the runs of a grid, and of any checkpoint by `python -m stilts.evaluate`.

`evaluate(run, spec, asked)` carries out a run of the stage `evaluate`. The command has a module each for what
it is asked (`request`), the model (`checkpoint`, `loading`), its folder (`store`), and its verbs (`running`,
`scoring`, `exporting`). Nothing heavy is imported with this package: scoring and exporting need no torch.
"""

from stilts.run.folder import RunFolder
from stilts.run.specs import EvaluateSpec, RunSpec


def evaluate(run: RunFolder, spec: RunSpec, asked: EvaluateSpec) -> None:
    """Carries out a run of the stage `evaluate`."""
    from stilts.evaluate.stage import Evaluator

    Evaluator(run, spec, asked).work()
