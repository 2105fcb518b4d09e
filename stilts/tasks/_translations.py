"""Sentence pairs, English and foreign. A row whose other side is empty is a distractor of a mining pool."""

from stilts.tasks import Example, Row


def read_translation(row: Row) -> Example | None:
    """XTREME's columns; `source_lang`, a language or an id such as en-0001, tells which side is English."""
    source, target = (row["source_sentence"] or "").strip(), (row["target_sentence"] or "").strip()
    english_first = str(row.get("source_lang", "")).lower().startswith("en")
    english, foreign = (source, target) if english_first else (target, source)
    if not (english or foreign):
        return None
    ids = [str(row.get(column, "")) for column in ("source_lang", "target_lang")]
    name = "/".join(ids) if any("-" in part for part in ids) else str(row.get("id", ""))
    return {"id": name, "english": english, "foreign": foreign}
