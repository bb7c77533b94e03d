"""What a report shows of a chain beside books: pools' prices by the book's, and droids."""

from collections.abc import Sequence

from sim.record.chain import ChainRecord, DroidRecord, PoolRecord
from sim.record.run import RunRecord
from sim.report.charts import Band, Chart, Line, chart_html
from sim.report.html import table_html
from sim.report.text import escaped, number

DROIDS_DRAWN_MAX, BANDS_DRAWN_MAX = 8, 500
PRICE_HEIGHT_PX = 260
CENTS, ATOMS = 2, 1_000_000
RUNGS = 5
HEAD = ("Droid", "pool", "status", "worth", "beside holding", "fees", "gas", "impermanent loss")
NOTE = (
    "Worth is positions with their fees and the wallet with its ether, at the pool's price; holding"
    " is what the droid began with. Arbitrageurs keep a pool within its fee of the book, and trade"
    " on the book what they trade in the pool: among the others they are the shocks."
)


def chain_section(record: RunRecord) -> str:
    """Empty where there is no chain."""
    chain = record.chain
    if chain is None or chain.blocks == 0:
        return ""
    end_us = record.steps * record.step_us
    pools = "".join(_pool(chain, one, end_us) for one in chain.pools)
    drawn = "".join(_droid(one, _prices(chain, one), end_us) for one in shown(chain))
    rest = len(chain.droids) - len(shown(chain))
    more = f"<p>{number(rest)} more droids have no charts.</p>" if rest else ""
    return (
        f'<section id="chain"><h2>Pools and droids</h2><p>{_said(chain)}</p>{pools}'
        f'{_table(chain)}<p class="soft">{NOTE}</p>{drawn}{more}</section>'
    )


def shown(chain: ChainRecord) -> Sequence[DroidRecord]:
    return chain.droids[:DROIDS_DRAWN_MAX]


def _said(chain: ChainRecord) -> str:
    bought, sold = chain.traded_lots
    return (
        f"{number(chain.blocks)} blocks with {number(chain.transactions)} transactions. For"
        f" arbitrageurs {number(bought)} lots of {escaped(chain.market_id)} were bought and"
        f" {number(sold)} sold."
    )


def _pool(chain: ChainRecord, pool: PoolRecord, end_us: int) -> str:
    rows = pool.blocks
    lines = [
        Line(f"middle of {chain.market_id}", rows["time_us"], rows["book_price"], "index", CENTS),
        Line("pool", rows["time_us"], rows["price"], 0, CENTS),
    ]
    swaps, arbitrages = int(rows["swaps"].sum()), int(rows["arbitrages"].sum())
    title = f"Pool {pool.pool_id}, {pool.name}"
    unit = f"{number(swaps)} swaps, {number(arbitrages)} of them arbitrageurs'"
    chart = chart_html(Chart(title, unit, end_us, lines, height_px=PRICE_HEIGHT_PX))
    return f'<div class="card">{chart}</div>'


def _prices(chain: ChainRecord, droid: DroidRecord) -> PoolRecord:
    return next(one for one in chain.pools if one.pool_id == droid.pool_id)


def _droid(droid: DroidRecord, pool: PoolRecord, end_us: int) -> str:
    rows, times_us = droid.standings, droid.standings["time_us"]

    def line(name: str, field: str, colour: int | str) -> Line:
        return Line(name, times_us, rows[field] / ATOMS, colour, CENTS)

    bands = [
        Band(begin, min(end, end_us), low, high, RUNGS)
        for begin, end, low, high in droid.bands[:BANDS_DRAWN_MAX]
    ]
    price = Line("price", pool.blocks["time_us"], pool.blocks["price"], 0, CENTS)
    worth = [line("held as it began", "held_atoms", "index"), line("droid", "aum_atoms", 0)]
    ladder = Chart("Price and rungs", "", end_us, [price], bands=bands, shows_bands=True)
    smaller = (
        Chart("Worth", "", end_us, worth),
        Chart("Fees", "", end_us, [line("fees", "fees_atoms", 2)]),
        Chart("Gas", "", end_us, [line("gas", "gas_atoms", "loss")]),
        Chart("Impermanent loss", "", end_us, [line("loss", "impermanent_loss_atoms", 3)]),
    )
    charts = f'{chart_html(ladder)}<div class="pair">{"".join(map(chart_html, smaller))}</div>'
    return f'<div class="card"><h3>{escaped(droid.name)}</h3>{charts}</div>'


def _table(chain: ChainRecord) -> str:
    if not chain.droids:
        return ""
    return table_html(HEAD, [_row(one) for one in chain.droids])


def _row(droid: DroidRecord) -> tuple[str, list[str]]:
    last = droid.standings[-1]
    fields = ("fees_atoms", "gas_atoms", "impermanent_loss_atoms")
    note = f"<small>{escaped(droid.note)}</small>" if droid.note else ""
    more = int(last["aum_atoms"]) - int(last["held_atoms"])
    cells = [
        str(droid.pool_id),
        f"{escaped(droid.status)}{note}",
        number(int(last["aum_atoms"]) / ATOMS, CENTS),
        number(more / ATOMS, CENTS),
        *(number(int(last[name]) / ATOMS, CENTS) for name in fields),
    ]
    return escaped(droid.name), cells
