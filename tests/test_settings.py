"""What is missing or half set stops the start with the variable's name; secrets do not show."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot import service
from bot.settings import Settings, SettingsError, ensure_home, kept_secret


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"TELEGRAM_API_URL": "http://x"}, "TELEGRAM_TOKEN is missing"),
        ({"TELEGRAM_TOKEN": "1:a", "LOA_PUBLIC_URL": "https://loa.example"}, "TELEGRAM_WEBHOOK_SECRET is needed"),
        ({"TELEGRAM_TOKEN": "1:a", "TELEGRAM_WEBHOOK_SECRET": "có dấu"}, "TELEGRAM_WEBHOOK_SECRET must be 16 to 256"),
        ({"TELEGRAM_TOKEN": "1:a", "TELEGRAM_WEBHOOK_SECRET": "short"}, "TELEGRAM_WEBHOOK_SECRET must be 16 to 256"),
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


def test_channels_of_the_contract_that_are_not_there_yet_are_named() -> None:
    assert "ZALO_APP_ID" in Settings.from_environment({"ZALO_APP_ID": "1"}).not_yet[0]


def test_secrets_do_not_show_in_repr() -> None:
    environment = {
        "TELEGRAM_TOKEN": "7:SECRET",
        "LOA_SECRET_KEY": "SECRET",
        "LOA_RASA_TOKEN": "SECRET",
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
