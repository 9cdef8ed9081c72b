"""What Prometheus reads at /metrics. Labels are channels and outcomes, never people."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

MESSAGES_RECEIVED = Counter("loa_messages_received", "Messages stored, by channel and kind", ["channel", "kind"])
EVENTS_IGNORED = Counter("loa_events_ignored", "Platform events that need no answer, by channel and name", ["channel", "event"])
WEBHOOKS_REFUSED = Counter("loa_webhooks_refused", "Calls refused at the border, by channel and reason", ["channel", "reason"])
TURNS = Counter("loa_turns", "Turns finished, by outcome", ["outcome"])
TURN_SECONDS = Histogram(
    "loa_turn_seconds",
    "From the message's arrival to its stored answer",
    buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 60),
)
ENGINE_FAILURES = Counter("loa_engine_failures", "Calls of Rasa that brought no answer, by reason", ["reason"])
DELIVERIES = Counter("loa_deliveries", "Sends by channel and status", ["channel", "status"])
LIVE_STREAMS = Gauge("loa_webchat_streams", "Open event streams of the web chat")
