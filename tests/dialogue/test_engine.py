"""Rasa's client: whom it trusts, and that it says who it is."""

from __future__ import annotations

import ssl

from bot.dialogue.engine import Engine, certificates_for


def test_elsewhere_nobody_is_trusted_without_a_known_certificate() -> None:
    context = certificates_for("https://rasa.example.org")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.get_ca_certs()


def test_plain_http_reads_no_certificates_and_would_trust_none() -> None:
    context = certificates_for("http://127.0.0.1:5005")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.get_ca_certs() == []


async def test_every_question_carries_the_secret() -> None:
    engine = Engine("http://127.0.0.1:5005", "a-token", "dak-lak")
    assert engine.client.build_request("POST", "/webhooks/loa/parse").headers["Authorization"] == "Bearer a-token"
    await engine.close()
