"""Compiles the rendered LaTeX tables, where there is a pdflatex, and looks at what it complains of."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hpc.errors import UserError
from hpc.files import is_there, write_atomic

# As wide as ACL's: 16 cm, columns of 7.7 cm, 11 pt.
_DOCUMENT = r"""\documentclass[11pt,twocolumn]{article}
\usepackage[a4paper,margin=2.5cm,columnsep=0.6cm]{geometry}
%s
\begin{document}
%s
\end{document}
"""
_OVERFULL = re.compile(r"Overfull \\hbox \((\d+\.?\d*)pt too wide\).*")
_MOST_POINTS = 5.0


def can_compile() -> bool:
    """Whether there is a pdflatex."""
    return shutil.which("pdflatex") is not None


def document(body: str, *, macros: str = r"\input{stilts.tex}") -> str:
    """A document with this body."""
    return _DOCUMENT % (macros, body)


def check(folder: Path, tables: Sequence[str]) -> list[Path]:
    """Compiles `folder/<table>.tex` of all tables into `check.pdf`, with `check.png` of its first page.

    Raises:
        UserError: LaTeX stopped, a reference is undefined, a line is more than 5 pt too wide or a float too
            tall for its page.
    """
    inputs = "\n".join(rf"\input{{{name}.tex}}\clearpage" for name in tables)
    sources = [folder / f"{name}.{end}" for name in ("stilts", *tables) for end in ("tex", "pdf")]
    return compiled(document(inputs), folder, "check", sources)


def compiled(text: str, folder: Path, name: str, sources: Sequence[Path]) -> list[Path]:
    """Compiles a document into `folder/<name>.pdf`, with a picture of its first page.

    Raises:
        UserError: as for `check`.
    """
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        for source in sources:
            if is_there(source):
                shutil.copy(source, work / source.name)
        (work / f"{name}.tex").write_text(text, encoding="utf-8")
        log = ""
        for _ in range(2):  # the second run resolves references
            log = _run(["pdflatex", "-halt-on-error", "-interaction=nonstopmode", f"{name}.tex"], work)
        complaints = _complaints(log)
        if complaints:
            raise UserError(f"LaTeX of {folder}: {'; '.join(complaints)}", code=1)
        written = [folder / f"{name}.pdf"]
        write_atomic(written[0], (work / f"{name}.pdf").read_bytes())
        if shutil.which("pdftoppm"):
            first = ["-r", "110", "-f", "1", "-l", "1", "-singlefile", f"{name}.pdf", name]
            _run(["pdftoppm", "-png", *first], work)
            written.append(folder / f"{name}.png")
            write_atomic(written[1], (work / f"{name}.png").read_bytes())
    return written


def _run(command: list[str], work: Path) -> str:
    done = subprocess.run(command, cwd=work, capture_output=True, check=False, timeout=120)
    text = done.stdout.decode(errors="replace")
    if done.returncode:
        first = next((line for line in text.splitlines() if line.startswith("!")), text[-300:])
        raise UserError(f"{command[0]} stopped: {first}", code=1)
    return text


def _complaints(log: str) -> list[str]:
    undefined = [line for line in log.splitlines() if "undefined" in line and "Warning" in line]
    wide = [match[0] for match in _OVERFULL.finditer(log) if float(match[1]) > _MOST_POINTS]
    tall = re.findall(r"Float too large for page by \d+\.?\d*pt", log)
    return [*undefined, *wide, *tall]
