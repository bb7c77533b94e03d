"""What is kept of orders with terms: in snapshots, and in COMMAND rows of either layout."""

import base64
from collections.abc import Callable
from hashlib import blake2b

import numpy as np
import pytest

from sim.book.arrays import WAITING
from sim.book.damage import DamagedState
from sim.book.engine import MarketEngine
from sim.rows.layouts import SHORT_BYTES, is_short, kept_bytes, kept_rows
from sim.rows.messages import COMMAND, OrderType, Rows
from sim.rows.packed_batches import packed, unpacked
from tests.sim.engine_rows import BUY, SELL, SPEC, applied, cancel, limit, linked, stop, until
from tests.sim.random_commands import BANDED, random_commands, with_terms

SEED = 4_711
PACK_OF_SHORT_ROWS = (
    "c%1E5ZAep57=F*a+iq>fqz}`Oz-coXW*AW<DG~~iC{9-m60;BOSAnecuMqKvN{L~F(ti^qT+lzE75%zjNYDoueNj"
    "II!3<Q|+Fj@Do{Mwtx+~4f*uyzH&-<R|zB`<A&pG!+paRjBO=yc~Tb7_RitKEA@{Xw~K!}u;$kK}gQAk==MWEx<@"
    "$2a`Fpeo5elU(B9o}j{V`PQ;4QS3A&{zy;3?aG<u<G!54e0P_awyT%ns}s36aU9ba<?J0xA*x<#-}@7{_WweuB(?"
    "@dp&g>!S4P*;LaQOp@E6quOrVzQIdIHk_AB)WSN%)Q5Ga#z&=spB?)(m(ue_67(lv~JzcOLzu#c_w4?dn-9l&e<N"
    "5k4KOYVA!_LpQtEYmI`F#ah2eu8y?TaK-_r&`z(6HB4XU(^|T5Uzn{ivqg<8qi>m8Y62^1Mo8<?fo|#<o3Y^l@4v"
    "W&<!X9u_S_k0S<`SjE3g%w~w8_Aweu3pRTGH#;)Z`FFq|^<YxJ_3&$t&nrZi1Jo^|_CjXfGuZryk}H7YIK;BZZbx"
    "jCI56kP%|Ptf4Z$HIBWB{`368bRRmlvy(oB@68vBOIH+XN)&MGZEJv}$Z#=I>pmu3Lw=4>|GvDfeNT&~d*TcFB|d"
    ")p=_C#xPtZk@$5$C~g{9LwVCo?Q7R6J9k7$Cxb^4w=D17Lg-?S(7DmEa?Nk1(ApX5C-^x%@9PFmKGNlFk1+d{xF1"
    ">79kXSSwbODlN~L62Q3GoUh1IRfRIGFLgh+SArb`?1=k4Sk;rdHPpcdckPHsgq7GGcDDh)gxw78q?EpSsAHX<3C-"
    "zK3mmjBAc*;HDULxs*-e5O)0)!6?fCwPV5&(}|?2#arWeM04L?RJE<OPs<!X*ht0B|A&pcY)!%!+!c11KK>oKD4Z"
    "Dz)IMC0R7niaCJte=hf056YqA?a797N57YvpLNd!%<lK4AE#e_a}K$W6b&^!eIX8JfAIEXeVM2<l{yL^B%B<HCR("
    "F2gLpK;;SQ)R$jQkm@cEj{7)J?M>)S5wytx$|WxKBDI?6|11)p5YFD`Lk@YniN2mFIyn+(e^_#1#>)PgG;1NBk|L"
    "phr|;L7NTW|%am)UrxOO+PhD>sn{@U$FJcA^"
)
"""Three batches of twelve rows, packed before a row had 72 bytes; and the hash of all of them."""

THEIR_HASH = "b3075efb323333846d58ec8dacf8dd25"


def test_a_pack_of_before_comes_back_to_the_last_byte() -> None:
    batches = unpacked(base64.b85decode(PACK_OF_SHORT_ROWS))
    digest = blake2b(digest_size=16)
    for batch in batches:
        assert is_short(batch.inputs)
        digest.update(batch.inputs + batch.events)
    assert digest.hexdigest() == THEIR_HASH
    assert unpacked(packed(batches)) == batches


def test_rows_of_before_mean_what_they_meant() -> None:
    rows = random_commands(np.random.default_rng(SEED), 2_000)
    rows["trigger_ticks"] = rows["expires_us"] = rows["link_id"] = 0
    short = rows.view(np.uint8).reshape(len(rows), -1)[:, :SHORT_BYTES].tobytes()
    assert is_short(short)
    assert not is_short(kept_bytes(rows))
    for kept in (short, kept_bytes(rows)):
        assert kept_rows(kept).tobytes() == rows.tobytes()
    assert kept_bytes(rows[:0]) == b""
    assert len(kept_rows(b"")) == 0


@pytest.mark.parametrize("data", [b"\2", b"x" * 55, b"x" * 57, b"\0" * 73])
def test_bytes_of_no_layout_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"layout|reshape|size"):
        kept_rows(data)


def test_the_snapshot_of_a_market_with_terms_does_not_depend_on_how_it_came_to_be() -> None:
    print(f"seed {SEED}")
    generator = np.random.default_rng(SEED)
    rows = with_terms(generator, random_commands(generator, 20_000))
    whole, piecewise = MarketEngine(BANDED), MarketEngine(BANDED, capacity_orders=1)
    whole.apply(rows)
    for start in range(0, len(rows), 777):
        piecewise.apply(rows[start : start + 777])
        piecewise = MarketEngine.restore(BANDED, piecewise.snapshot())
    assert piecewise.snapshot() == whole.snapshot()
    assert whole.snapshot().startswith(b"SANDPIT3")
    assert len(whole.waiting_orders()) > 50


def engine_with_terms() -> MarketEngine:
    engine = MarketEngine(SPEC)
    applied(engine, limit(1, 1, BUY, 5, 100), limit(2, 2, SELL, 5, 100))
    applied(engine, until(900, limit(3, 1, BUY, 5, 99)), stop(4, 1, SELL, 5, 95))
    trailing = stop(6, 2, BUY, 5, 7, order_type=OrderType.TRAILING)
    applied(engine, *linked(limit(5, 2, SELL, 5, 104), trailing))
    return engine


def test_a_market_without_terms_is_written_as_before() -> None:
    engine = engine_with_terms()
    applied(engine, cancel(3, 1), cancel(4, 1), cancel(6, 2), cancel(5, 2))
    plain = MarketEngine(SPEC)
    applied(plain, limit(1, 1, BUY, 5, 100), limit(2, 2, SELL, 5, 100))
    assert engine.snapshot().startswith(b"SANDPIT1")
    assert len(engine.snapshot()) == len(plain.snapshot())


def test_the_engine_says_what_it_waits_for() -> None:
    engine = engine_with_terms()
    assert (engine.next_expiry_us, engine.waits_on_mark) == (900, False)
    assert (engine.is_due(899), engine.is_due(900)) == (False, True)
    applied(engine, stop(7, 1, SELL, 5, 95, flags=8), cancel(3, 1))
    assert (engine.next_expiry_us, engine.waits_on_mark) == (0, True)


CHANGES: dict[str, Callable[[Rows], None]] = {
    "no such type": lambda rows: rows["order_type"].__setitem__(1, 9),
    "a type that waits, of one that rests": lambda rows: rows["order_type"].__setitem__(0, 3),
    "no trigger": lambda rows: rows["trigger_ticks"].__setitem__(1, 0),
    "a price of nothing": lambda rows: rows["price_ticks"].__setitem__(1, -1),
    "no quantity": lambda rows: rows["remaining_lots"].__setitem__(1, 0),
    "nobody's": lambda rows: rows["account_id"].__setitem__(1, 0),
    "an id that rests": lambda rows: rows["order_id"].__setitem__(1, 5),
    "an order that is not there": lambda rows: rows["order_id"].__setitem__(0, 77),
    "terms that say nothing": lambda rows: rows["expires_us"].__setitem__(0, 0),
    "a time before all time": lambda rows: rows["expires_us"].__setitem__(1, -5),
    "an unknown flag": lambda rows: rows["flags"].__setitem__(1, 4),
    "a link of one side": lambda rows: rows["link_id"].__setitem__(3, 0),
    "a link with nobody": lambda rows: rows["link_id"].__setitem__(1, 99),
    "due in no order": lambda rows: rows["due_no"].__setitem__(1, 2),
    "from no command": lambda rows: rows["accepted_seq"].__setitem__(3, 10**6),
    "not by age": lambda rows: rows["accepted_seq"].__setitem__(1, 1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_terms_that_cannot_be_are_not_restored(change: str) -> None:
    memory = bytearray(engine_with_terms().snapshot())
    rows = np.frombuffer(memory, WAITING, 4, len(memory) - 4 * WAITING.itemsize)
    assert rows["order_id"].tolist() == [3, 4, 5, 6]
    CHANGES[change](rows)
    with pytest.raises(DamagedState, match=r"^the snapshot is damaged"):
        MarketEngine.restore(SPEC, bytes(memory))


def test_what_is_restored_with_a_bit_flipped_is_a_market_that_goes_on() -> None:
    print(f"seed {SEED}")
    dice, data = np.random.default_rng(SEED), engine_with_terms().snapshot()
    refused = 0
    for bit in dice.integers(8 * (len(data) - 4 * WAITING.itemsize), 8 * len(data), 400).tolist():
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            engine = MarketEngine.restore(SPEC, bytes(changed))
        except DamagedState:
            refused += 1
            continue
        assert engine.snapshot() == bytes(changed)
        engine.apply(with_terms(dice, random_commands(dice, 1_100)))
    assert refused > 100
    assert COMMAND.itemsize == 72
