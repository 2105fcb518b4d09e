"""What it takes to do it again: code, versions, machines, seeds, data and every setting of training."""

from collections import Counter
from collections.abc import Callable, Sequence

from hpc.errors import UserError
from hpc.files import read_json_lines
from stilts.report import caption
from stilts.report.evidence import Evidence
from stilts.report.form import Block, Cell, Header, Row, Table
from stilts.report.numbers import scaled, significant
from stilts.report.spec import Spec
from stilts.study.protocol import deviations

ROWS = ("code", "machines", "study", "protocol", "training", "compute")
COLUMNS = ("all",)
_SETTINGS = (
    "learning_rate", "epochs", "max_steps", "tokens_per_batch", "examples_per_batch", "warmup",
    "weight_decay", "clip", "dropout", "head_rate", "patience",
)  # fmt: skip


def build(spec: Spec, evidence: Evidence) -> list[Table]:
    """Everything by the last attempts of finished runs; what differs among them stands side by side."""
    attempts, unknown = _attempts(evidence)
    makers = {
        "code": lambda: _facts("Code and versions", _versions(attempts), len(attempts)),
        "machines": lambda: _facts("Machines", _machines(attempts), len(attempts)),
        "study": lambda: _study(evidence),
        "protocol": lambda: _protocol(evidence),
        "training": lambda: _settings(evidence),
        "compute": lambda: _compute(evidence),
    }
    blocks = [block for name in spec.rows if (block := makers[name]()).rows]
    text = caption.sentence(
        spec.question,
        f"Of the last attempts of {_counted(len(attempts), len(evidence.plan))} runs that are done and "
        "whole; in brackets: runs that differ from the first",
        f"Of {', '.join(unknown)} it cannot be read" if unknown else "",
        f"Study {evidence.study.name}",
        evidence.study.caveat,
    )
    return [Table(id=spec.id, question=spec.question, caption=text, blocks=tuple(blocks), stub="What")]


def _attempts(evidence: Evidence) -> tuple[dict[str, dict[str, object]], list[str]]:
    """What the last attempts of whole runs told, and the runs of which it cannot be read."""
    found, unknown = {}, []
    for run in evidence.whole():
        try:
            found[run.id] = read_json_lines(run.provenance)[-1]
        except (UserError, IndexError):
            unknown.append(run.id)
    return found, unknown


def _counted(known: int, total: int) -> str:
    return str(known) if known == total else f"{known} of {total}"


def _versions(attempts: dict[str, dict[str, object]]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for one in attempts.values():
        git = one.get("git")
        commit = str(git.get("sha", ""))[:12] if isinstance(git, dict) else ""
        changed = isinstance(git, dict) and bool(git.get("diff"))
        _count(found, "commit", f"{commit or 'no checkout'}{' with changes' * changed}")
        _count(found, "python", one.get("python"))
        versions = one.get("versions")
        for name, version in versions.items() if isinstance(versions, dict) else ():
            _count(found, name, version)
    return found


def _machines(attempts: dict[str, dict[str, object]]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for one in attempts.values():
        gpus = one.get("gpus")
        _count(found, "GPU", f"{len(gpus)} x {gpus[0]}" if isinstance(gpus, list) and gpus else None)
        for label, name in (
            ("processor", "cpu"),
            ("processors", "cpus"),
            ("driver", "driver"),
            ("CUDA", "cuda"),
        ):
            _count(found, label, one.get(name))
    return found


def _count(found: dict[str, Counter[str]], name: str, value: object) -> None:
    if value not in (None, ""):
        found.setdefault(name, Counter())[str(value)] += 1


def _facts(title: str, found: dict[str, Counter[str]], total: int) -> Block:
    rows = []
    for name, counts in found.items():
        (first, _), *others = counts.most_common()
        more = "".join(f"; {value} ({count})" for value, count in others)
        note = "" if sum(counts.values()) == total else f"known of {sum(counts.values())} runs"
        rows.append(Row(key=name, label=name, cells=(Cell(text=first + more, note=note),)))
    return _block(title, ("value",), rows)


def _study(evidence: Evidence) -> Block:
    study = evidence.study
    facts = {
        "model": study.model.source,
        "seeds": ", ".join(map(str, study.seeds)),
        "data from": ", ".join(study.sources),
        "intermediate tasks": str(len(study.intermediate.tasks)),
        "targets": ", ".join(study.targets),
        "ZeRO stage": str(study.zero.stage),
        "precision": f"{study.zero.precision}, evaluated in {study.evaluation.dtype}",
        "retrieval": f"{study.retrieval.pooling} of layer {study.retrieval.layer}, "
        f"{study.retrieval.neighbours} neighbours",
    }
    rows = [Row(key=name, label=name, cells=(Cell(text=text),)) for name, text in facts.items()]
    return _block("Study", ("value",), rows)


def _protocol(evidence: Evidence) -> Block:
    rows = [
        Row(
            key=one.title,
            label=one.title,
            cells=(Cell(text=f"{one.way}: {', '.join(one.tasks)}", prose=True),),
        )
        for one in deviations(evidence.study)
    ]
    return _block("Otherwise than published, or by a rule that was chosen", ("value",), rows)


def _settings(evidence: Evidence) -> Block:
    phases = evidence.study.optimisation
    used = [name for name in _SETTINGS if any(getattr(phase, name) is not None for phase in phases.values())]
    rows = []
    for phase, settings in phases.items():
        values = [getattr(settings, name) for name in used]
        cells = [
            Cell(applies=False) if value is None else Cell(text=f"{value:g}", value=float(value))
            for value in values
        ]
        rows.append(Row(key=phase, label=phase, cells=tuple(cells)))
    return _block("Training, by phase or training set", [name.replace("_", " ") for name in used], rows)


def _compute(evidence: Evidence) -> Block:
    rows = [row for found in evidence.training.values() for row in found]
    if not rows:
        return _block("Compute", ("value",), [])
    seconds = sum(row["seconds"] if row["total_seconds"] is None else row["total_seconds"] for row in rows)
    energy = [row["energy_j"] for row in rows if row["energy_j"] is not None]
    flops = [row["flops_model"] for row in rows if row["flops_model"] is not None]
    facts = {
        "training runs": Cell(text=str(len(evidence.training)), value=float(len(evidence.training))),
        "device hours": Cell(text=significant(seconds / 3600), value=seconds / 3600),
        "FLOPs of the models": _sum(flops, "counted", len(rows), scaled),
        "energy (kWh)": _sum([one / 3.6e6 for one in energy], "measured", len(rows), significant)
        if energy
        else Cell(note="no counter was readable"),
    }
    return _block("Compute", ("value",), [Row(key=k, label=k, cells=(cell,)) for k, cell in facts.items()])


def _sum(known: Sequence[float], how: str, total: int, shown: Callable[[float], str]) -> Cell:
    """A sum over all rows, or over those that know, which is said."""
    partly = "" if len(known) == total else f" ({how} in {len(known)} of {total})"
    return Cell(text=f"{shown(sum(known))}{partly}", value=float(sum(known)))


def _block(title: str, names: Sequence[str], rows: Sequence[Row]) -> Block:
    return Block(
        title=title,
        columns=tuple(names),
        headers=tuple(Header(text=name) for name in names),
        rows=tuple(rows),
    )
