import psycopg

from sim.market import BTC_PERP
from sim.money.mark import Quotes
from storage.market.markets import create_markets
from storage.market.prices import StoredPrice, read_prices, read_quotes, write_prices

ROW = StoredPrice("BTC-PERP", 660_000, 660_001, -(2**50), b"\x00\xff", 1_700_000_000_000_000)


def test_prices_come_back_as_they_were_written_the_last_winning(database_url: str) -> None:
    newer = StoredPrice("BTC-PERP", 660_005, 660_004, 7, None, ROW.updated_at_us + 1)
    other = StoredPrice("ETH-PERP", 1, 1, 0, b"", 5)
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert read_prices(connection) == {}
        write_prices(connection, [ROW])
        assert read_prices(connection) == {"BTC-PERP": ROW}
        write_prices(connection, [newer, other])
        assert read_prices(connection) == {"BTC-PERP": newer, "ETH-PERP": other}


def test_quotes_of_a_fresh_market_are_none(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        create_markets(connection, [BTC_PERP])
        assert read_quotes(connection) == {"BTC-PERP": Quotes(0, 0, 0)}
