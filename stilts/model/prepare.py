"""The run every other one starts from: the pretrained encoder as a folder in Hugging Face's format."""

from stilts import data
from stilts.model import pretrained
from stilts.run.folder import RunFolder
from stilts.run.progress import Progress
from stilts.run.specs import PrepareSpec, RunSpec


def prepare(run: RunFolder, _: RunSpec, asked: PrepareSpec) -> None:
    """Carries out a run of the stage `prepare`: converts, keeps the first layers, cuts the vocabulary."""
    model = asked.model
    progress = Progress(run, total=2, unit="steps")
    texts: list[str] | None = None
    if model.vocabulary == "study":
        progress.at(0, "reading the study's texts")
        texts = list(data.corpus(asked.texts, sources=asked.sources, limits=asked.limits))
    progress.at(1, f"{model.source}: {model.layers or 'all'} layers")
    pretrained.prepare(model.source, destination=run.weights, layers=model.layers, texts=texts)
    progress.at(2)
