"""How regimes and tasks are called in print; a name that is not listed prints as it is."""

from stilts.study import regimes

BASELINES = {
    "majority": "majority",
    "bag-of-words": "bag of words",
    "word-overlap": "word overlap",
}

TASKS = {
    "anli_plus": "ANLI+",
    "mnli": "MNLI",
    "qqp": "QQP",
    "squad_v1": "SQuAD 1.1",
    "squad_v2": "SQuAD 2.0",
    "hellaswag": "HellaSwag",
    "ccg": "CCG",
    "cosmosqa": "Cosmos QA",
    "commonsenseqa": "CSQA",
    "xnli": "XNLI",
    "pawsx": "PAWS-X",
    "udpos": "UD-POS",
    "panx": "PAN-X",
    "xquad": "XQuAD",
    "mlqa": "MLQA",
    "tydiqa": "TyDiQA",
    "bucc2018": "BUCC",
    "tatoeba": "Tatoeba",
}


def task_name(key: str) -> str:
    """The printed name of a task."""
    return TASKS.get(key, key)


def regime_name(key: str) -> str:
    """The printed name of a row: a baseline, a regime, or a regime's phase as in `single/<task>`."""
    name, _, phase = key.partition("/")
    if name not in regimes.names():
        return BASELINES.get(name, name)
    printed = regimes.find(phase).label if phase in regimes.names() else task_name(phase)
    return regimes.find(name).row_label(printed)
