"""The auditor finds what does not add up or does not move, and says so until it has healed."""

from typing import Any

import pytest

from actors.live.auditor import BOOKS_EVERY_S, GAP_S_MAX, Auditor
from actors.live.market import Market
from actors.live.recorder import Recorder
from actors.live.relay import Relay
from actors.silence import STEP_S_MAX
from sim.rows.messages import Side
from storage.reading.audit_readings import kept_readings
from tests.actors.house import MARKET, House
from tests.builders import order, spot_order, trader, with_money
from tests.waiting import eventually

STATUS = f"SELECT status FROM markets WHERE market_id = '{MARKET}'"
SPOT = "ETH_USDC"
HALTED = 3
LOOKS_UNTIL_TOLD = int(GAP_S_MAX / STEP_S_MAX) + 2


class Audited:
    """A house, its auditor and a clock that moves when told."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.now = 0.0
        self.auditor = Auditor(house.urls[0], {MARKET: f"market:{MARKET}"}, clock=lambda: self.now)

    def look_until_told(self) -> dict[str, str]:
        """Look as often as a gap takes to be one; the gaps by name."""
        for _ in range(LOOKS_UNTIL_TOLD):
            self.now += STEP_S_MAX
            self.auditor.look()
        return self.look()

    def look(self) -> dict[str, str]:
        """Look once, at the books, too; the gaps by name."""
        self.now += BOOKS_EVERY_S
        self.auditor.look()
        found = kept_readings(self.house.database)
        return {one.name: one.gap for one in found.values() if one.gap is not None}

    def value(self, name: str, market_id: str = MARKET) -> int:
        return kept_readings(self.house.database)[name, market_id].value


@pytest.fixture
def audited(house: House) -> Any:
    audited = Audited(house)
    yield audited
    audited.auditor.stop()


def traded(house: House, times: int = 3) -> tuple[int, int]:
    """Two accounts that have traded, each time in other batches, with an order open each."""
    accounts = trader(house.database), trader(house.database)
    for _ in range(times):
        house.place(order(accounts[0], Side.BUY, 2), order(accounts[1], Side.SELL, 1))
        house.settled()
    return accounts


def test_what_is_in_order_is_compared_and_found_so(house: House, audited: Audited) -> None:
    house.open()
    traded(house)
    assert audited.look() == {}
    head = house.count(f"SELECT batch_no FROM market_heads WHERE market_id = '{MARKET}'")
    assert audited.value("compared_batch") == head
    assert audited.value("unprojected_batches") == audited.value("unapplied_commands") == 0
    assert audited.value("compared_account", "") > 0


def test_a_second_auditor_goes_on_where_the_first_was(house: House, audited: Audited) -> None:
    house.open()
    traded(house)
    audited.look()
    before = audited.value("compared_batch")
    house.database.execute("DELETE FROM fills")  # of what was compared before
    again = Audited(house)
    assert again.look() == {}
    assert again.value("compared_batch") == before
    again.auditor.stop()


def test_a_trade_that_is_not_shown_halts_its_market(house: House, audited: Audited) -> None:
    house.open()
    traded(house)
    last = "SELECT max(event_seq) FROM fills"
    house.database.execute(f"DELETE FROM fills WHERE event_seq = ({last}) AND is_maker")
    assert "1 fills of the journal" in audited.look()["missing_fills"]
    assert house.count(STATUS) == HALTED


DAMAGES = (
    "UPDATE balances SET total_atoms = total_atoms + 1 WHERE account_id = %s",
    "UPDATE balances SET locked_atoms = locked_atoms + 1 WHERE account_id = %s",
    "UPDATE balances SET open_orders = open_orders + 1 WHERE account_id = %s",
    "UPDATE ledger_entries SET amount_atoms = amount_atoms - 1 WHERE id ="
    " (SELECT max(id) FROM ledger_entries WHERE account_id = %s)",
)
REPAIRS = (
    "UPDATE balances b SET total_atoms = x.total_atoms, locked_atoms = x.locked_atoms,"
    " open_orders = x.open_orders FROM kept_balances x WHERE b.account_id = x.account_id",
    "UPDATE ledger_entries e SET amount_atoms = x.amount_atoms FROM kept_ledger x"
    " WHERE (e.source, e.seq, e.leg) = (x.source, x.seq, x.leg)",
)


def test_money_that_does_not_add_up_is_told_until_it_does(house: House, audited: Audited) -> None:
    house.open()
    buyer, _ = traded(house)
    house.database.execute("CREATE TEMP TABLE kept_balances AS SELECT * FROM balances")
    house.database.execute("CREATE TEMP TABLE kept_ledger AS SELECT * FROM ledger_entries")
    for damage in DAMAGES:
        audited.look()
        house.database.execute(damage, (buyer,))
        assert "1 accounts" in eventually(audited.look)["wrong_accounts"], damage
        for repair in REPAIRS:
            house.database.execute(repair)
        assert audited.look() == {}


@pytest.mark.parametrize("asset", ["USDC", "ETH"])
def test_money_that_a_trade_makes_halts_its_market_in_whatever_asset(
    asset: str, house: House, audited: Audited
) -> None:
    house.open(SPOT)
    alice, bob = trader(house.database), trader(house.database)
    with_money(house.database, bob, "5", "ETH")
    for _ in range(2):
        assert audited.look() == {}
        house.place(spot_order(alice, Side.BUY, 2), spot_order(bob, Side.SELL, 2))
        house.settled()
    last = f"(SELECT max(id) FROM ledger_entries WHERE asset = '{asset}')"
    damage = "UPDATE ledger_entries SET amount_atoms = amount_atoms {} 1 WHERE id = " + last
    house.database.execute(damage.format("+"))
    assert "1 ledger transactions" in audited.look()["unbalanced_transactions"]
    assert house.count(f"SELECT status FROM markets WHERE market_id = '{SPOT}'") == HALTED
    house.database.execute(damage.format("-"))
    assert eventually(lambda: audited.look() == {})


def test_a_hold_is_added_up_in_the_asset_that_its_order_locks(
    house: House, audited: Audited
) -> None:
    seller = trader(house.database)
    with_money(house.database, seller, "5", "ETH")
    house.place(spot_order(seller, Side.SELL, 2), spot_order(seller, Side.BUY, 2))
    assert audited.look() == {}
    house.database.execute(
        "UPDATE balances SET locked_atoms = locked_atoms - 1 WHERE asset = 'ETH'"
    )
    assert "1 accounts" in eventually(audited.look)["wrong_accounts"]


def test_an_altered_journal_is_told_however_old_the_row_is(house: House, audited: Audited) -> None:
    house.open()
    traded(house)
    house.database.execute("CREATE TEMP TABLE kept AS SELECT * FROM journal")
    damage = "UPDATE journal SET inputs = overlay(inputs placing '\\x07' from 30)"
    house.database.execute(f"{damage} WHERE batch_no = 2")
    gap = audited.look()["chain_is_broken"]
    assert gap == f"{MARKET}: the journal's batch 2 is not what was written"
    house.database.execute(
        "UPDATE journal j SET inputs = k.inputs FROM kept k WHERE j.batch_no = k.batch_no"
    )
    assert audited.look() == {}
    house.database.execute("DELETE FROM journal WHERE batch_no = 2")
    assert "batch 2 is missing" in audited.look()["chain_is_broken"]


def test_what_waits_and_does_not_move_is_told_with_the_actor_whose_work_it_is(
    house: House, audited: Audited
) -> None:
    account = trader(house.database)
    house.place(order(account))
    assert audited.look() == {}
    assert "1 accepted commands have no number" in audited.look_until_told()["unnumbered_commands"]
    assert list(audited.auditor.stalled()) == ["relay"]
    relay = Relay(*house.urls)
    relay.step()
    relay.stop()
    assert list(audited.look_until_told()) == ["unapplied_commands"]
    assert list(audited.auditor.stalled()) == [f"market:{MARKET}"]
    market = Market(MARKET, *house.urls, run=True)
    house.actors.append(market)
    eventually(lambda: market.health().command_seq == 1)
    assert list(audited.look_until_told()) == ["unprojected_batches"]
    assert list(audited.auditor.stalled()) == ["recorder"]
    house.actors.append(Recorder([MARKET], *house.urls, run=True))
    house.settled()
    assert audited.look() == {}
    assert audited.auditor.stalled() == {}
