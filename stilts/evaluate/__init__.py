"""Zero-shot evaluation: of the runs of a grid, and of any checkpoint by `python -m stilts.evaluate`.

`evaluate(run, spec)` carries out a run of kind `evaluate`. The command has a module each for what it is asked
(`request`), the model (`checkpoint`, `loading`), its folder (`store`), and its verbs (`running`, `scoring`,
`exporting`). Nothing heavy is imported with this package: scoring and exporting need no torch.
"""

from stilts.run.folder import RunFolder
from stilts.run.specs import RunSpec


def evaluate(run: RunFolder, spec: RunSpec) -> None:
    """Carries out a run of kind `evaluate`."""
    from stilts.evaluate.stage import Evaluator

    Evaluator(run, spec).work()
