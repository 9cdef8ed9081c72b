"""What is missing or half set stops the start with the variable's name; secrets do not show."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot import service
from bot.settings import ROLES, Settings, SettingsError, ensure_home, kept_secret
from bot.staff import accounts

ZALO = {"ZALO_APP_ID": "1", "ZALO_APP_SECRET": "SECRET", "ZALO_OA_ID": "2", "ZALO_OA_SECRET": "SECRET"}
MESSENGER = {"MESSENGER_PAGES": "1:token", "MESSENGER_APP_SECRET": "secret", "MESSENGER_VERIFY_TOKEN": "verify"}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"TELEGRAM_API_URL": "http://x"}, "TELEGRAM_TOKEN is missing"),
        ({"TELEGRAM_TOKEN": "1:a", "LOA_PUBLIC_URL": "https://loa.example"}, "TELEGRAM_WEBHOOK_SECRET is needed"),
        ({"TELEGRAM_TOKEN": "1:a", "TELEGRAM_WEBHOOK_SECRET": "có dấu"}, "TELEGRAM_WEBHOOK_SECRET must be 16 to 256"),
        ({"TELEGRAM_TOKEN": "1:a", "TELEGRAM_WEBHOOK_SECRET": "short"}, "TELEGRAM_WEBHOOK_SECRET must be 16 to 256"),
        ({"MESSENGER_PAGES": "1:token"}, "MESSENGER_APP_SECRET, MESSENGER_VERIFY_TOKEN missing"),
        ({"MESSENGER_HUMAN_AGENT": "on"}, "MESSENGER_PAGES, MESSENGER_APP_SECRET, MESSENGER_VERIFY_TOKEN missing"),
        ({**MESSENGER, "MESSENGER_PAGES": "just-a-token"}, "MESSENGER_PAGES must be page_id:token"),
        ({**MESSENGER, "MESSENGER_PAGES": "1:token,1:other"}, "MESSENGER_PAGES must be page_id:token"),
        ({**MESSENGER, "MESSENGER_HUMAN_AGENT": "yes"}, "MESSENGER_HUMAN_AGENT must be one of on, off"),
        ({**MESSENGER, "MESSENGER_API_VERSION": "25"}, "MESSENGER_API_VERSION must look like v25.0"),
        ({"ZALO_APP_ID": "1"}, "ZALO_APP_SECRET, ZALO_OA_ID, ZALO_OA_SECRET missing"),
        ({"ZALO_STALE_SECONDS": "9"}, "ZALO_APP_ID, ZALO_APP_SECRET, ZALO_OA_ID, ZALO_OA_SECRET missing"),
        ({**ZALO, "ZALO_OA_ID": "https://zalo.me/2"}, "ZALO_OA_ID must be digits"),
        ({**ZALO, "ZALO_OA_SECRET": " , "}, "ZALO_OA_SECRET must hold"),
        ({**ZALO, "ZALO_BUTTON_TEMPLATE": "a b"}, "ZALO_BUTTON_TEMPLATE must be a word"),
        ({**ZALO, "ZALO_UNNAMED_ECHOES": "yes"}, "ZALO_UNNAMED_ECHOES must be one of ignore, operator"),
        ({**ZALO, "ZALO_STALE_SECONDS": "0"}, "ZALO_STALE_SECONDS must be greater"),
        ({"LOA_HTTP_PORT": "web"}, "LOA_HTTP_PORT must be a port"),
        ({"LOA_HTTP_PORT": "70000"}, "LOA_HTTP_PORT must be a port"),
        ({"LOA_PUBLIC_URL": "loa.example"}, "LOA_PUBLIC_URL must be an address"),
        ({"LOA_DATABASE_URL": "mysql://x"}, "LOA_DATABASE_URL must start with postgresql://"),
        ({"LOA_PROVINCE": "atlantis"}, "LOA_PROVINCE must be one of dak-lak, thanh-hoa"),
        ({"LOA_TURN_DEADLINE_SECONDS": "soon"}, "LOA_TURN_DEADLINE_SECONDS must be a number"),
        ({"LOA_TURN_DEADLINE_SECONDS": "-1"}, "LOA_TURN_DEADLINE_SECONDS must be greater than zero"),
    ],
)
def test_a_wrong_setting_is_named(environment: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Settings.from_environment(environment)


def test_nothing_set_is_a_working_deployment() -> None:
    settings = Settings.from_environment({})
    assert (settings.address, settings.province, settings.telegram) == ("http://127.0.0.1:8080", "dak-lak", None)


def test_a_token_of_messenger_does_not_show_in_an_error() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({**MESSENGER, "MESSENGER_PAGES": "1:SECRET,1:SECRET"})
    assert "SECRET" not in str(caught.value)


def test_secrets_do_not_show_in_repr() -> None:
    environment = {
        "TELEGRAM_TOKEN": "7:SECRET",
        "LOA_SECRET_KEY": "SECRET",
        **ZALO,
        "LOA_RASA_TOKEN": "SECRET",
        "MESSENGER_PAGES": "1:SECRET,2:SECRET",
        "MESSENGER_APP_SECRET": "SECRET",
        "MESSENGER_VERIFY_TOKEN": "SECRET",
        "LOA_DATABASE_URL": "postgresql://loa:SECRET@db/loa",
    }
    assert "SECRET" not in repr(Settings.from_environment(environment))


def test_the_signing_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings.from_environment({"LOA_HOME": str(tmp_path)})
    assert kept_secret(settings) == kept_secret(settings)
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="LOA_HOME cannot be written"):
        ensure_home(Settings.from_environment({"LOA_HOME": str(tmp_path / "file/home")}))


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    with (
        pytest.raises(SettingsError, match=r"disk below .* is full"),
        service.prepared(Settings.from_environment({"LOA_HOME": str(tmp_path)})),
    ):
        pass


@pytest.mark.parametrize(("raw", "limit"), [("", 20), ("0", 0), ("35", 35)])
def test_the_limit_of_messages_may_be_switched_off(raw: str, limit: int) -> None:
    assert Settings.from_environment({"LOA_MESSAGES_A_MINUTE": raw}).messages_a_minute == limit


@pytest.mark.parametrize("raw", ["-1", "1.5", "viele"])
def test_a_limit_that_is_no_number_is_named(raw: str) -> None:
    with pytest.raises(SettingsError, match="LOA_MESSAGES_A_MINUTE"):
        Settings.from_environment({"LOA_MESSAGES_A_MINUTE": raw})


def test_roles_that_need_a_second_factor_are_roles_of_staff() -> None:
    assert ROLES == accounts.ROLES
    assert Settings.from_environment({}).totp_roles == frozenset()
    assert Settings.from_environment({"LOA_TOTP_ROLES": "admin, senior,"}).totp_roles == {"admin", "senior"}
    with pytest.raises(SettingsError, match="LOA_TOTP_ROLES must be some of operator, senior, content, admin"):
        Settings.from_environment({"LOA_TOTP_ROLES": "admin,boss"})


@pytest.mark.parametrize("raw", ["0", "-5", "soon"])
def test_staff_stay_logged_in_for_some_time(raw: str) -> None:
    with pytest.raises(SettingsError, match="LOA_STAFF_IDLE_MINUTES"):
        Settings.from_environment({"LOA_STAFF_IDLE_MINUTES": raw})
