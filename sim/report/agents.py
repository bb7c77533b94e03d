"""What a report shows of signal agents: what they decided, and whom the result comes from."""

from sim.facts.sessions import SessionsTogether, sessions_together
from sim.record.run import AgentsRecord, RunRecord
from sim.report.html import table_html
from sim.report.text import escaped, number
from sim.units import ATOMS_PER_UNIT

HEAD = (
    *("agent", "signals", "votes that won", "round trips it voted for", "their profit"),
    "its share<small>by weight × confidence</small>",
)


def agents_section(record: RunRecord) -> str:
    """Empty where no population is one of signal agents."""
    if not record.agents:
        return ""
    told = [_population(one, sessions_together(one)) for one in record.agents]
    return f'<section id="agents"><h2>Signal agents</h2>{"".join(told)}</section>'


def _population(record: AgentsRecord, together: SessionsTogether) -> str:
    metrics, actions = together.metrics, record.course.actions
    decided = ", ".join(f"{number(count)} {action}" for action, count in actions.items())
    rows = [
        (
            escaped(share.agent),
            [
                number(share.signals),
                number(share.won),
                number(share.trips),
                number(share.trips_net_atoms / ATOMS_PER_UNIT, 2),
                number(share.share_atoms / ATOMS_PER_UNIT, 2),
            ],
        )
        for share in together.shares
    ]
    return (
        f"<h3>{escaped(record.name)}</h3><p>{decided}; {number(metrics.total_trades)} round trips,"
        f" {number(metrics.winning_trades)} of them won.</p>"
        f"<p>Verdicts: {_verdicts(record)}.</p>{table_html(HEAD, rows)}"
    )


def _verdicts(record: AgentsRecord) -> str:
    """How many of each ruling, and by which rules."""
    told = []
    for ruling, rules in record.course.verdicts.items():
        by_rule = ", ".join(f"{number(many)} by {rule}" for rule, many in rules.items())
        many = f"{number(sum(rules.values()))} {ruling}"
        told.append(f"{many} ({by_rule})" if rules else many)
    return "; ".join(told)
