"""What Prometheus reads at /metrics. Labels are channels and outcomes, never people."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

MESSAGES_RECEIVED = Counter("loa_messages_received", "Messages stored, by channel and kind", ["channel", "kind"])
EVENTS_IGNORED = Counter("loa_events_ignored", "Platform events that need no answer, by channel and name", ["channel", "event"])
WEBHOOKS_REFUSED = Counter("loa_webhooks_refused", "Calls refused at the border, by channel and reason", ["channel", "reason"])
ZALO_SIGNATURES = Counter(
    "loa_zalo_signatures", "Signed webhooks of Zalo, by the way that they were signed", ["first", "timestamp", "secret"]
)
DUPLICATES = Counter("loa_messages_duplicate", "Redeliveries that changed nothing, by channel", ["channel"])
TAKE_OVERS = Counter("loa_operator_take_overs", "Conversations that a person took over in a platform's inbox", ["channel"])
NOTICES = Counter("loa_notices", "Times the bot held back instead of answering, by rule", ["rule"])
ACKNOWLEDGE_SECONDS = Histogram(
    "loa_acknowledge_seconds",
    "From a platform's call to our answer to it",
    ["channel"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 1.5, 2, 5),
)
ANSWER_SECONDS = Histogram(
    "loa_answer_seconds",
    "From a message's arrival to its answer on its way to the citizen",
    ["channel"],
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 60, 300),
)
TURNS = Counter("loa_turns", "Turns finished, by outcome", ["outcome"])
TURN_SECONDS = Histogram(
    "loa_turn_seconds",
    "From the message's arrival to its stored answer",
    buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 60),
)
ENGINE_FAILURES = Counter("loa_engine_failures", "Calls of Rasa that brought no answer, by reason", ["reason"])
DELIVERIES = Counter("loa_deliveries", "Sends by channel and status", ["channel", "status"])
SEND_PROBLEMS = Counter(
    "loa_send_problems",
    "Sends that did not go out at once, by channel, what became of them and why",
    ["channel", "status", "reason"],
)
SUBSCRIPTIONS = Counter("loa_subscriptions", "Subscriptions to news that began or ended, by channel", ["channel", "event"])
NEWS = Counter("loa_news_messages", "Messages of news handed over for sending, by channel", ["channel"])
CORRECTIONS = Counter("loa_figure_corrections", "Corrections of told figures handed over for sending, by channel", ["channel"])
LIVE_STREAMS = Gauge("loa_webchat_streams", "Open event streams of the web chat")
FEED_FETCHES = Counter("loa_feed_fetches", "Attempts to read a feed of figures, by feed and outcome", ["feed", "outcome"])
NEWEST_READING_AGE = Gauge(
    "loa_figures_newest_reading_age_seconds", "Since the end of the last day that the feed has a good figure for", ["feed"]
)
FEED_SUCCESS_AGE = Gauge("loa_feed_last_success_age_seconds", "Since the feed was last read or found unchanged", ["feed"])
