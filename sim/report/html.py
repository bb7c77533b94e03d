"""The page of a report: its style, its one script, and the pieces its sections are made of.

A page holds everything it shows and asks nobody for anything; its policy allows one style and
one script, each named by its hash, so that text from a scenario could not run even unescaped.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Sequence

from sim.report.text import escaped

STYLE = """
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1b2430;--soft:#5c6878;--line:#dde2e8;
--grid:#e8ebef;--s0:#1565c0;--s1:#d9480f;--s2:#2b8a3e;--s3:#8e24aa;--s4:#a67c00;--s5:#00838f;
--s6:#d81b60;--s7:#5d6d7e;--good:#1b7f3b;--bad:#c62828;--open:#8a6100;--shock:#d9480f22;
--halt:#5d6d7e33;--hover:#1b243014}
@media(prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2028;--ink:#e6eaf0;--soft:#9aa7b6;
--line:#2d3641;--grid:#27303a;--s0:#64a8f5;--s1:#ff9a5c;--s2:#62c77a;--s3:#ce93f0;--s4:#e0c04a;
--s5:#4dd0e1;--s6:#f48fb1;--s7:#a3b1c0;--good:#6fd08c;--bad:#ff8a80;--open:#e8bd5a;
--shock:#ff9a5c2e;--halt:#a3b1c033;--hover:#ffffff1c}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.45 system-ui,-apple-system,
"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1180px;margin:0 auto;padding:20px 16px 60px}
h1{font-size:26px;margin:0 0 2px;overflow-wrap:anywhere}
h2{font-size:20px;margin:34px 0 10px;overflow-wrap:anywhere}
h3{font-size:16px;margin:0 0 2px;overflow-wrap:anywhere}
p{margin:6px 0}a{color:var(--s0)}code{overflow-wrap:anywhere;font-size:13px}
.soft,.none,figcaption i,td small,th small{color:var(--soft);font-style:normal}
td small,th small{display:block;font-weight:400;font-size:12px}
.badge{display:inline-block;border-radius:4px;padding:1px 8px;font-size:13px;font-weight:600;
color:var(--bg);background:var(--open);vertical-align:middle}
nav{margin:10px 0;display:flex;flex-wrap:wrap;gap:4px 14px}
dl.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(108px,1fr));gap:8px;
margin:14px 0}
dl.tiles div,.card{background:var(--card);border:1px solid var(--line);border-radius:8px;
padding:8px 12px;min-width:0}
dl.tiles .wide{grid-column:1/-1}
dt{color:var(--soft);font-size:12px}dd{margin:0;font-weight:600;overflow-wrap:anywhere}
.card{padding:12px 14px;margin:10px 0}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:0 22px}
.pair figure:last-child:nth-child(odd){grid-column:1/-1}
.cards{columns:350px;column-gap:12px}
.cards .card{margin:0 0 12px;break-inside:avoid}
figure{margin:8px 0 4px;min-width:0}
figcaption{font-size:13px;margin-bottom:4px;display:flex;flex-wrap:wrap;gap:0 10px}
.chart{display:flex}.chart>.y{flex:none}svg.o{overflow:visible}.chart>.x{flex:1;width:0;overflow:visible}
svg text{font-size:11.5px;fill:var(--soft);text-anchor:middle}
.y text,svg text.e{text-anchor:end}svg text.s{text-anchor:start}
.o>text{paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round}
.o>circle{fill:var(--ink)}
.o circle+text{fill:var(--ink);font-weight:600}
path.grid{stroke:var(--grid);fill:none;vector-effect:non-scaling-stroke}
path.l{fill:none;stroke:var(--c);stroke-width:1.5px;stroke-linejoin:round;stroke-linecap:round;
vector-effect:non-scaling-stroke}
path.b{fill:var(--c)}path.a{fill:var(--c);opacity:.2}
path.r{fill:var(--c);fill-opacity:.13;stroke:var(--c);stroke-opacity:.5;
vector-effect:non-scaling-stroke}
path.l.sindex{stroke-dasharray:5 3}
path.shock{fill:var(--shock)}path.halt{fill:var(--halt)}
.h path{fill:transparent}.h path:hover{fill:var(--hover)}
.k{color:var(--soft)}.k:before{content:"";display:inline-block;width:14px;height:3px;
background:var(--c);margin-right:5px;vertical-align:middle;border-radius:2px}
.s0{--c:var(--s0)}.s1{--c:var(--s1)}.s2,.sgain{--c:var(--s2)}.s3{--c:var(--s3)}
.s4{--c:var(--s4)}.s5{--c:var(--s5)}.s6{--c:var(--s6)}.s7,.sindex{--c:var(--s7)}
.sloss{--c:var(--bad)}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:8px;
margin:10px 0}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{padding:6px 9px;text-align:right;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td,tr:last-child th{border-bottom:0}
thead th{color:var(--soft);font-weight:600;font-size:12px;vertical-align:bottom}
th:first-child,.words td,.words th{text-align:left}
tbody th{position:sticky;left:0;background:var(--card);font-weight:600;min-width:100px;
max-width:260px;overflow-wrap:break-word}
table:not(.words) td,table:not(.words) td small{white-space:nowrap}
table:not(.words) td small.why{white-space:normal}
.words th:first-child{min-width:200px}.words td:nth-child(n+2){min-width:150px}
@media(max-width:640px){.words tbody th{position:static}.words th:first-child{min-width:150px}
th,td{padding:5px 7px}main{padding:12px 10px 40px}.card{padding:9px 8px}}
.holds{color:var(--good);font-weight:600}.not{color:var(--bad);font-weight:600}
.open{color:var(--open);font-weight:600}
#tip{position:fixed;z-index:9;pointer-events:none;background:var(--ink);color:var(--bg);
font-size:12px;padding:5px 9px;border-radius:6px;white-space:pre;max-width:94vw;
font-variant-numeric:tabular-nums}
@media print{.scroll{overflow:visible}body{background:#fff}}
"""

SCRIPT = """
(()=>{const tip=document.createElement('div');tip.id='tip';tip.hidden=true;
document.body.append(tip);
const show=e=>{const p=e.target.closest&&e.target.closest('.h path');tip.hidden=!p;if(!p)return;
const t=p.querySelector('title');if(t){p.tip=t.textContent;t.remove()}
tip.textContent=p.tip;const w=tip.offsetWidth,h=tip.offsetHeight;
tip.style.left=Math.max(4,Math.min(e.clientX+14,innerWidth-w-4))+'px';
tip.style.top=(e.clientY-h-12<4?e.clientY+18:e.clientY-h-12)+'px'};
addEventListener('pointermove',show);addEventListener('pointerdown',show);
addEventListener('scroll',()=>{tip.hidden=true},{passive:true})})();
"""


def _hash(text: str) -> str:
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()


CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_hash(STYLE)}'; script-src 'sha256-{_hash(SCRIPT)}';"
    " img-src data:; base-uri 'none'; form-action 'none'"
)
"""What a page needs and no more: whoever serves one may say so in a header too."""


def page_html(title: str, sections: Iterable[str]) -> str:
    """The whole page; sections are HTML."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<title>{escaped(title)}</title><style>{STYLE}</style></head>\n<body><main>\n"
        + "\n".join(sections)
        + f"\n</main><script>{SCRIPT}</script></body></html>\n"
    )


def tiles_html(tiles: Iterable[tuple[str, str]], wide: Iterable[tuple[str, str]] = ()) -> str:
    """Names and values, as text; those of `wide` take a line each."""
    small = "".join(f"<div>{_pair(name, value)}</div>" for name, value in tiles)
    large = "".join(f'<div class="wide">{_pair(name, value)}</div>' for name, value in wide)
    return f'<dl class="tiles">{small}{large}</dl>'


def _pair(name: str, value: str) -> str:
    return f"<dt>{escaped(name)}</dt><dd>{escaped(value)}</dd>"


def table_html(
    head: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], words: bool = False
) -> str:
    """A table that scrolls by itself on a narrow screen. Cells are HTML; rows begin with a
    heading. words: cells are text, not figures."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(
        f"<tr><th>{name}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        for name, cells in rows
    )
    kind = ' class="words"' if words else ""
    return (
        f'<div class="scroll"><table{kind}><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
