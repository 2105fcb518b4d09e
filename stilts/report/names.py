"""How regimes, tasks and numbers of tasks are called in print; a name that is not listed prints as it is."""

REGIMES = {
    "direct": "direct",
    "best": "best single",
    "multi": "multi-task",
    "heads": "heads (one model)",
    "joint": "joint (one model)",
    "random": "random encoder",
    "majority": "majority",
    "bag-of-words": "bag of words",
    "word-overlap": "word overlap",
}

VARIANTS = {"mlm": "with masked text", "translated": "with translations"}

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
    """The printed name of a row: a regime, `single/<task>`, or a variant of a phase, as `mlm/<phase>`."""
    regime, _, phase = key.partition("/")
    name = REGIMES.get(phase, task_name(phase))
    if regime in VARIANTS:
        return f"{name} {VARIANTS[regime]}"
    return f"single {name}" if phase else REGIMES.get(regime, regime)
