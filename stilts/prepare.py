"""The run every other one starts from: the pretrained encoder as a folder in Hugging Face's format."""

from stilts import data, pretrained
from stilts.config import Model
from stilts.decode import decode
from stilts.runs import Progress, RunFolder, RunSpec


def prepare(run: RunFolder, spec: RunSpec) -> None:
    """Carries out a run of kind `prepare`: converts, keeps the first layers, cuts the vocabulary."""
    model: Model = decode(Model, dict(spec.fields["model"]), spec.id)
    progress = Progress(run, total=2, unit="steps")
    texts: list[str] | None = None
    if model.vocabulary == "study":
        asked = spec.fields
        progress.at(0, "reading the study's texts")
        texts = list(data.corpus(asked["texts"], sources=asked["sources"], limits=asked["limits"]))
    progress.at(1, f"{model.source}: {model.layers or 'all'} layers")
    pretrained.prepare(model.source, destination=run.weights, layers=model.layers, texts=texts)
    progress.at(2)
