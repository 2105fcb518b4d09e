"""The runs of a grid: predictions and scores of one set of weights by target and language.

Each (target, language) is written as soon as it is done: a run that was killed computes what is missing.
"""

from hpc import ranks
from stilts import data, tasks
from stilts.data import Encoded
from stilts.evaluate import predict
from stilts.evaluate.predict import DTYPES, Answered
from stilts.evaluate.retrieving import Retriever
from stilts.evaluate.rows import prediction_rows, score_rows
from stilts.model import folder as models
from stilts.model.multitask import Model
from stilts.run import records
from stilts.run.folder import Progress, RunFolder
from stilts.run.outputs import weights_digest
from stilts.run.provenance import code_version
from stilts.run.settings import Retrieval
from stilts.run.specs import EvaluateSpec, RunSpec
from stilts.tasks import Task


class Evaluator:
    """One set of weights against all its targets."""

    def __init__(self, run: RunFolder, spec: RunSpec, asked: EvaluateSpec) -> None:
        self.run, self.spec, self.asked = run, spec, asked
        self.settings = asked.evaluation
        parent = run.sibling(spec.needs[0])
        self.weights, self.digest = parent.weights, weights_digest(parent.path)
        device = ranks.setup().device
        model = models.load(self.weights).to(device, DTYPES[self.settings.dtype]).eval()
        self.model: Model = model.for_inference(attention=self.settings.attention)
        retrieval = asked.retrieval or Retrieval()
        self.retriever = Retriever(self.model, retrieval, tokens_per_batch=self.settings.tokens_per_batch)

    def work(self) -> None:
        """Answers every cell that has no scores yet."""
        cells = [
            (tasks.load(name), answer.head, answer.note, language)
            for name, answer in self.asked.targets.items()
            for language in answer.languages
        ]
        progress = Progress(self.run, total=len(cells), unit="languages")
        for number, (task, head, note, language) in enumerate(cells):
            progress.at(number, f"{task.name} {language}")
            shard = f"{task.name}-{language}"
            if not (self.run.records / "scores" / f"{shard}.arrow").exists():
                self._answer(task, head, note, language, shard)
        progress.at(len(cells))

    def _answer(self, task: Task, head: str, note: str, language: str, shard: str) -> None:
        encoded = self._read(task, language, "test")
        if task.scorer == "pairs":
            dev = self._read(task, language, "dev")
            mined = self.retriever.mine(task, dev, encoded)
            self._write_scores(task, "dev", note, dev, mined.dev, f"{shard}-dev")
            answered = mined.test
        elif task.type == "retrieve":
            answered = self.retriever.nearest(task, encoded)
        else:
            models.head_of(self.model, head, self.weights)
            answered = predict.answer(
                self.model, head, task, encoded, tokens_per_batch=self.settings.tokens_per_batch
            )
        self._write_predictions(task, encoded, answered, shard)
        self._write_scores(task, "test", note, encoded, answered, shard)

    def _read(self, task: Task, language: str, split: str) -> Encoded:
        return data.load(
            task,
            language=language,
            split=split,
            tokenizer_file=self.weights / "tokenizer.json",
            max_length=task.max_length,
            sources=self.asked.sources,
            limit=self.asked.limit(task.name, split),
            cache=self.run.cache,
        )

    def _made_of(self, encoded: Encoded) -> dict[str, str | None]:
        """What made a number: data, weights and code."""
        return {"data": encoded.version, "model": self.digest, "code": code_version()}

    def _write_predictions(self, task: Task, encoded: Encoded, answered: Answered, shard: str) -> None:
        common = {
            "run_id": self.spec.id,
            "cell_id": records.cell_id(
                fingerprint=self.spec.fingerprint, target=task.name, language=encoded.language
            ),
            "target": task.name,
            "language": encoded.language,
            "split": "test",
            **self._made_of(encoded),
        }
        rows = [common | row for row in prediction_rows(task, encoded, answered)]
        records.write_shard(self.run.predictions, "predictions", rows, name=shard)

    def _write_scores(
        self, task: Task, split: str, note: str, encoded: Encoded, answered: Answered, shard: str
    ) -> None:
        rows = score_rows(
            answered.scored,
            num_full=encoded.num_full,
            run_id=self.spec.id,
            study=self.spec.study,
            regime=self.asked.regime,
            intermediate=self.asked.intermediate,
            seed=self.asked.seed,
            target=task.name,
            language=encoded.language,
            split=split,
            note=note,
            **self._made_of(encoded),
        )
        records.write_shard(self.run.records / "scores", "scores", rows, name=shard)
