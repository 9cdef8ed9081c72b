from tests.dialogue.conftest import gateway, rasa, telegram, telegram_gateway  # noqa: F401
