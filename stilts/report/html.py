"""HTML: tables that sort by a click or a key, on pages that load nothing from anywhere."""

from html import escape

from stilts.report.form import Block, Cell, Row, Table

STYLE = """
:root { color-scheme: light; --ink: #1b1f24; --dim: #4d5661; --line: #c9d1d9; --better: #cfe3f5;
  --worse: #fbe0c3; --link: #0b4f8a; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: #fff; margin: 0 auto;
  max-width: 70rem; padding: 1rem; }
h1, h2, h3 { line-height: 1.2; }
a { color: var(--link); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
th, td { padding: .25rem .6rem; text-align: right; white-space: nowrap; }
tbody th, thead th:first-child { text-align: left; position: sticky; left: 0; background: #fff; }
thead th { border-bottom: 1px solid var(--ink); vertical-align: bottom; }
thead tr.groups th { border-bottom: 1px solid var(--line); text-align: center; color: var(--dim); }
tbody tr.ruled > * { border-top: 1px solid var(--line); }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer;
  text-decoration: underline dotted; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
td.prose { white-space: normal; text-align: left; min-width: 18rem; }
td.best { font-weight: 700; }
td.better { background: var(--better); } td.worse { background: var(--worse); }
td small { color: var(--dim); font-weight: 400; } td.better small, td.worse small { color: var(--ink); }
.note { color: var(--dim); font-size: .85rem; max-width: 60rem; }
.warning { border-left: .3rem solid #a33; padding-left: .6rem; font-weight: 600; }
img, svg { max-width: 100%; height: auto; }
"""

SCRIPT = """
for (const button of document.querySelectorAll("th button")) button.addEventListener("click", () => {
  const head = button.closest("th"), body = head.closest("table").tBodies[0];
  const down = head.getAttribute("aria-sort") === "descending";
  const place = [...head.parentNode.children].indexOf(head);
  const value = row => { const cell = row.children[place];
    return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value); };
  const rank = one => typeof one === "number" ? 0 : 1;
  const rows = [...body.rows].sort((a, b) => { const [x, y] = [value(a), value(b)];
    if (rank(x) !== rank(y)) return rank(x) - rank(y);
    const order = typeof x === "number" ? x - y : x.localeCompare(y); return down ? order : -order; });
  for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "ascending" : "descending");
  body.append(...rows);
});
"""

# Nothing is fetched, from this page or by it.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def write(table: Table) -> str:
    """A page with one table."""
    return page(table.question, fragment(table))


def page(title: str, body: str) -> str:
    """A whole page of a body of HTML."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style></head>\n"
        f"<body><main>\n{body}\n</main>\n<script>{SCRIPT}</script></body></html>\n"
    )


def fragment(table: Table, *, level: int = 2) -> str:
    """The table with its question as a heading of this level, caption and notes below."""
    parts = [
        f'<section id="{escape(table.id)}"><h{level}>{_text(table.question)}</h{level}>',
        *(_block(table, block) for block in table.blocks),
        f'<p class="note">{_text(table.caption)}</p>',
        *(f'<p class="note">{_text(f"{mark} {text}".strip())}</p>' for mark, text in table.footnotes),
        *(f'<p class="warning" role="note">{_text(text)}</p>' for text in table.warnings),
        "</section>",
    ]
    return f"<!-- data {table.digest} -->\n" + "\n".join(parts)


def _text(text: str) -> str:
    """Of any script, in its own direction."""
    return f'<span dir="auto">{escape(text)}</span>'


def _block(table: Table, block: Block) -> str:
    caption = f"<caption>{_text(block.title)}</caption>" if block.title else ""
    groups = ""
    if block.groups:
        cells = "".join(
            f'<th colspan="{group.span}" scope="colgroup">{_text(group.text) if group.text else ""}</th>'
            for group in block.groups
        )
        groups = f'<tr class="groups"><td></td>{cells}</tr>'
    names = "".join(
        f'<th scope="col"><button type="button">{_text(header.text)}</button></th>'
        for header in block.headers
    )
    head = f'<thead>{groups}<tr><th scope="col">{_text(table.stub)}</th>{names}</tr></thead>'
    body = "\n".join(_row(row) for row in block.rows)
    name = escape(block.title or table.question)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{name}">'
        f"<table>{caption}{head}\n<tbody>{body}</tbody></table></div>"
    )


def _row(row: Row) -> str:
    ruled = ' class="ruled"' if row.ruled else ""
    return f'<tr{ruled}><th scope="row">{_text(row.label)}</th>{"".join(map(_cell, row.cells))}</tr>'


def _cell(cell: Cell) -> str:
    if not cell.applies:
        return "<td></td>"
    if cell.missing:
        reason = f' title="{escape(cell.note)}"' if cell.note else ""
        return f"<td{reason}>--</td>"
    names = " ".join(name for name in ("best" * cell.best, cell.shade, "prose" * cell.prose) if name)
    number = cell.value if cell.value is not None else cell.change
    shown = (f' class="{names}"' if names else "") + (
        f' data-value="{number:.10g}"' if number is not None else ""
    )
    shown += f' title="{escape(cell.note)}"' if cell.note else ""
    detail = f" <small>{_text(cell.detail)}</small>" if cell.detail else ""
    return f"<td{shown}>{_text(cell.text)}{escape(cell.mark)}{detail}</td>"
