from tests.dialogue.conftest import gateway, talk, telegram, telegram_gateway  # noqa: F401
