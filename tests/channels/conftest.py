from tests.dialogue.conftest import gateway, rasa, talk, telegram, telegram_gateway  # noqa: F401
