"""Sentence pairs, English and foreign. A row whose other side is empty is a distractor of a mining pool."""

from stilts.tasks import Example, Row
from stilts.tasks._columns import identity, text


def read_translation(row: Row) -> Example | None:
    """XTREME's columns; `source_lang`, a language or an id such as en-0001, tells which side is English."""
    sides = ("source_sentence", "target_sentence")
    source, target = ("" if row[side] is None else text(row, side).strip() for side in sides)
    english_first = identity(row, "source_lang").lower().startswith("en")
    english, foreign = (source, target) if english_first else (target, source)
    if not (english or foreign):
        return None
    ids = [identity(row, column) for column in ("source_lang", "target_lang")]
    name = "/".join(ids) if any("-" in part for part in ids) else identity(row, "id")
    return {"id": name, "english": english, "foreign": foreign}
