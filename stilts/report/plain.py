"""CSV and JSON: the raw numbers with ten digits, one line a cell in CSV."""

import csv
import io
import json

from stilts.report.form import Table, as_json

_NUMBERS = ("value", "low", "high", "change", "change_low", "change_high", "p_value", "count")


def write_csv(table: Table) -> str:
    """One line a cell; a missing number is an empty field."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["table", "row", "column", *_NUMBERS, "best", "text", "note", "runs"])
    for address, cell in table.cells():
        if not cell.applies:
            continue
        name, rest = address.split("/", 1)
        row, column = rest.rsplit("/", 1)
        numbers = [getattr(cell, field) for field in _NUMBERS]
        shown = ["" if number is None else f"{number:.10g}" for number in numbers]
        writer.writerow(
            [name, row, column, *shown, int(cell.best), cell.text, cell.note, " ".join(cell.runs)]
        )
    return out.getvalue()


def write_json(table: Table) -> str:
    """Everything in the table, for other programs."""
    return json.dumps({"data": table.digest} | as_json(table), indent=1, sort_keys=True) + "\n"
