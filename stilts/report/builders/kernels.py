"""What the kernels and the encoder take on devices that were measured, beside their peers."""

from collections.abc import Mapping, Sequence

from stilts.report import caption
from stilts.report.evidence import Evidence
from stilts.report.form import EMPTY, Block, Cell, Header, Row, Table
from stilts.report.measured import Card, cards
from stilts.report.numbers import significant
from stilts.report.spec import Spec

ROWS = ("attention", "encoder", "products")
COLUMNS = ("all",)
_ENCODER = {
    "stilts_us": "stilts",
    "stilts_launched_us": "stilts, no graph",
    "hugging_face_sdpa_us": "Hugging Face, sdpa",
    "roof_us": "roof",
}


def build(spec: Spec, evidence: Evidence) -> list[Table]:  # noqa: ARG001
    """Blocks for each device; a batch is rows x tokens."""
    found = cards()
    blocks = [block for card in found for block in _blocks(card, spec.rows)]
    how = [
        f"{what}: {text}"
        for card in found[:1]
        for what, text in card.content["how"].items()
        if what in spec.rows
    ]
    text = caption.sentence(
        spec.question,
        "Microseconds; a ratio above 1: so many times faster than the fastest peer. Medians of one session "
        "each, without intervals: nothing is tested",
        *how,
        "Roof: what products and memory of the device allow" if found else "No device was measured",
    )
    empty = Row(key="none", label="no device was measured", cells=(EMPTY,))
    nothing = Block(columns=("us",), headers=(Header(text="us"),), rows=(empty,))
    return [
        Table(
            id=spec.id, question=spec.question, caption=text, blocks=tuple(blocks) or (nothing,), stub="Batch"
        )
    ]


def _blocks(card: Card, wanted: Sequence[str]) -> list[Block]:
    found = []
    if "attention" in wanted and "attention_us" in card.content:
        found.append(_compared(card, "attention", card.content["attention_us"], own="stilts"))
    if "encoder" in wanted and "encoder" in card.content:
        times = {
            batch: {_ENCODER[name]: value for name, value in row.items() if name in _ENCODER}
            for batch, row in card.content["encoder"].items()
        }
        compiled = card.content.get("compiled_hugging_face", {})
        for batch, row in times.items():
            if f"{batch}_us" in compiled:
                row["Hugging Face, compiled"] = compiled[f"{batch}_us"]
        found.append(_compared(card, "encoder", times, own="stilts"))
    if "products" in wanted:
        for name, row in card.content.items():
            if name.startswith("products_of_"):
                found.append(_products(card, name.removesuffix("_us").replace("_", " "), row))
    return found


def _compared(card: Card, what: str, times: Mapping[str, Mapping[str, float]], *, own: str) -> Block:
    """Times in microseconds by batch and implementation, and the ratio to the fastest peer."""
    names = list(dict.fromkeys(name for row in times.values() for name in row))
    rows = []
    for batch, row in times.items():
        cells = [
            Cell(text=significant(row[name]), value=float(row[name])) if name in row else EMPTY
            for name in names
        ]
        peers = [value for name, value in row.items() if not name.startswith(own) and name != "roof"]
        ratio = EMPTY if own not in row or not peers else _ratio(min(peers) / row[own])
        rows.append(Row(key=f"{card.name}/{what}/{batch}", label=batch, cells=(*cells, ratio)))
    return Block(
        title=f"{what.capitalize()}, {card.title}",
        columns=(*names, "ratio"),
        headers=tuple(Header(text=name) for name in (*names, "ratio")),
        rows=tuple(rows),
    )


def _ratio(value: float) -> Cell:
    return Cell(text=f"{value:.2f}", value=value)


def _products(card: Card, title: str, times: Mapping[str, float]) -> Block:
    rows = [
        Row(
            key=f"{card.name}/products/{name}",
            label=name,
            cells=(Cell(text=significant(float(value)), value=float(value)),),
        )
        for name, value in times.items()
    ]
    return Block(
        title=f"{title.capitalize()}, {card.title}",
        columns=("us",),
        headers=(Header(text="us a layer"),),
        rows=tuple(rows),
    )
