"""Where settings come from, and the one sentence when one is wrong."""

import re
from pathlib import Path

import pytest

from storage.servers.data_directory import Hold, prepare, secret, write_private
from storage.settings import ConfigurationError, Settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_any_setting_everything_runs_here() -> None:
    settings = Settings.load()
    assert (settings.database_url, settings.redis_url, settings.ray_address) == (None,) * 3
    assert (settings.host, settings.port, settings.world) == ("127.0.0.1", 8000, "default")


def test_an_argument_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sandpit.toml").write_text('port = 1\nhost = "file"\nworld = "file"\n')
    monkeypatch.setenv("SANDPIT_PORT", "2")
    monkeypatch.setenv("SANDPIT_HOST", "environment")
    settings = Settings.load(port=3, host=None)
    assert (settings.port, settings.host, settings.world) == (3, "environment", "file")


def test_the_servers_addresses_have_their_usual_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/db")
    monkeypatch.setenv("REDIS_URL", "redis://somewhere")
    monkeypatch.setenv("RAY_ADDRESS", "somewhere:6380")
    settings = Settings.load()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://somewhere/db"
    assert settings.redis_url is not None
    assert settings.redis_url.get_secret_value() == "redis://somewhere"
    assert settings.ray_address == "somewhere:6380"


def test_passwords_are_not_printed() -> None:
    url = "redis://u:canary@h"
    settings = Settings.load(database_url=url, redis_url=url, limits_redis_url=url)
    assert "canary" not in repr(settings) + str(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SANDPIT_PORT", "70000"),
        ("SANDPIT_LOGIN_RATE", "often"),
        ("SANDPIT_LOG_LEVEL", "loud"),
        ("SANDPIT_DROID_GAS_ETH", "0"),
        ("SANDPIT_DROID_GAS_ETH", "1000.1"),
        ("SANDPIT_DROID_GAS_ETH", "0.123456789"),
        ("SANDPIT_DROID_GAS_ETH", "much"),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        Settings.load()
    assert name.removeprefix("SANDPIT_").lower() in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("of_account", "of_user"), [("6000", None), ("6000", "5999"), (None, "999")]
)
def test_a_user_may_have_as_many_open_orders_as_one_account(
    of_account: str | None, of_user: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if of_account is not None:
        monkeypatch.setenv("SANDPIT_OPEN_ORDERS_MAX", of_account)
    if of_user is not None:
        monkeypatch.setenv("SANDPIT_USER_OPEN_ORDERS_MAX", of_user)
    told = "user_open_orders_max is wrong: must be at least open_orders_max, which is"
    with pytest.raises(ConfigurationError, match=f"{told} {of_account or 1000}"):
        Settings.load()
    monkeypatch.setenv("SANDPIT_USER_OPEN_ORDERS_MAX", of_account or "1000")
    assert Settings.load().user_open_orders_max == int(of_account or 1000)


@pytest.mark.parametrize("name", ["prot", "SANDPIT_PORT"])
def test_a_setting_that_does_not_exist_is_refused_with_the_file_and_what_was_meant(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "sandpit.toml").write_text(f"{name} = 8000\n")
    sentence = f"sandpit.toml: there is no setting called {name}; did you mean port?"
    with pytest.raises(ConfigurationError, match=re.escape(sentence)):
        Settings.load()


def test_a_file_that_is_not_there_or_not_toml_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sandpit.toml").write_text("port 8000")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Settings.load()
    monkeypatch.setenv("SANDPIT_CONFIG", "absent.toml")
    with pytest.raises(ConfigurationError, match="not a file"):
        Settings.load()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings.load().port = 1  # type: ignore[misc]


def test_the_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "auth.secret"
    first = secret(path)
    assert len(first) == 32
    assert secret(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["auth.secret"]


def test_the_first_of_two_writers_stands(tmp_path: Path) -> None:
    write_private(tmp_path / "kept", b"first")
    write_private(tmp_path / "kept", b"second")
    assert (tmp_path / "kept").read_bytes() == b"first"


@pytest.mark.parametrize("content", ["", "ab", "not hexadecimal"])
def test_a_weak_secret_is_refused(tmp_path: Path, content: str) -> None:
    write_private(tmp_path / "auth.secret", content.encode())
    with pytest.raises(ConfigurationError, match="32 bytes"):
        secret(tmp_path / "auth.secret")


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    secret(tmp_path / "auth.secret")
    (tmp_path / "auth.secret").chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        secret(tmp_path / "auth.secret")


def test_a_directory_with_other_peoples_files_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ConfigurationError, match="not a sandpit data directory"):
        prepare(tmp_path)


def test_a_hold_is_exclusive_until_it_is_released(tmp_path: Path) -> None:
    first, second = Hold(tmp_path / "lock"), Hold(tmp_path / "lock")
    first.take("Ray")
    with pytest.raises(ConfigurationError, match="Another sandpit runs Ray in"):
        second.take("Ray")
    first.release()
    second.take("Ray")
    second.release()


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("exchange.example.com", "http://exchange.example.com:8000"),
    ],
)
def test_links_begin_where_this_machine_reaches_the_server(host: str, address: str) -> None:
    assert Settings.load(host=host).public_address == address


def test_links_begin_where_the_setting_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("https://exchange.example.com/", "http://[::1]:9000", "https://a.b/c/d"):
        monkeypatch.setenv("SANDPIT_PUBLIC_URL", text)
        assert Settings.load().public_address == text.rstrip("/")
    for wrong in ("exchange.example.com", "ftp://a.b", "https://a.b/?x=1", "https://a b", "//a"):
        monkeypatch.setenv("SANDPIT_PUBLIC_URL", wrong)
        with pytest.raises(ConfigurationError, match="public_url"):
            Settings.load()
