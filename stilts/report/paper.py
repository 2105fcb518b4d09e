"""The report of a study as a LaTeX document: the answer, then tables and figures, all in one file."""

from collections.abc import Sequence

from stilts.report import latex
from stilts.report.answer import Part
from stilts.report.figures import Figure
from stilts.report.form import Table, clean
from stilts.report.latex_text import escape
from stilts.report.pdf import document


def write(title: str, parts: Sequence[Part], built: Sequence[Table | Figure], drawn: Sequence[str]) -> str:
    """The document.

    Args:
        title: of the study.
        parts: the answer.
        built: tables and figures, in order.
        drawn: figures whose PDF lies beside the document; of others the numbers stand as a table.
    """
    known = {(one.table if isinstance(one, Figure) else one).id for one in built}
    body = [rf"\section*{{{escape(clean(title))}}}"]
    for part in parts:
        body += [rf"\paragraph{{{escape(part.title)}.}}"]
        for sentence in part.sentences:
            names = dict.fromkeys(address.partition("/")[0] for address in sentence.cells)
            places = [_reference(name, built, drawn) for name in names if name in known]
            body.append(escape(clean(sentence.text)) + "".join(f" ({place})" for place in places))
    body.append(r"\clearpage")
    for one in built:
        table = one.table if isinstance(one, Figure) else one
        shown = isinstance(one, Figure) and table.id in drawn
        body += [latex.write_figure(table) if shown else latex.write(table), r"\clearpage"]
    return document("\n".join(body), macros=latex.MACROS)


def _reference(name: str, built: Sequence[Table | Figure], drawn: Sequence[str]) -> str:
    is_figure = any(isinstance(one, Figure) and one.table.id == name for one in built) and name in drawn
    kind, word = ("fig", "Figure") if is_figure else ("tab", "Table")
    return rf"{word}~\ref{{{kind}:stilts-{name.replace('_', '-')}}}"
