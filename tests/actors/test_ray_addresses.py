"""The address of a Ray cluster is read before anything is asked there."""

import pytest

from actors.cluster.ours import check_address
from storage.settings import ConfigurationError


@pytest.mark.parametrize("port", ["", "x", "9" * 5_000, "\u0661\u0662"])
def test_a_port_is_a_few_digits_of_ascii(port: str) -> None:
    with pytest.raises(ConfigurationError, match="does not read like HOST:PORT"):
        check_address(f"127.0.0.1:{port}", "--address")
