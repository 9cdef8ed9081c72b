-- Who talks with us, and every message both ways. The messages table is the history; Rasa's tracker is only its memory.

CREATE TABLE conversations (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel         text NOT NULL,
    address         text NOT NULL,                     -- the provider's id of the citizen
    owner           text NOT NULL DEFAULT 'bot' CHECK (owner IN ('bot', 'queue', 'operator', 'closed')),
    language        text NOT NULL DEFAULT 'vi',
    sending         text NOT NULL DEFAULT 'open' CHECK (sending IN ('open', 'blocked')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    last_message_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (channel, address)
);

CREATE TABLE messages (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation_id     bigint NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    direction           text NOT NULL CHECK (direction IN ('incoming', 'outgoing')),
    author              text NOT NULL CHECK (author IN ('citizen', 'bot', 'operator')),
    channel             text NOT NULL,
    provider_id         text,                          -- the platform's own id, incoming or after sending
    kind                text NOT NULL DEFAULT 'text',
    text                text NOT NULL DEFAULT '',
    payload             text,
    buttons             jsonb NOT NULL DEFAULT '[]',
    source              jsonb,
    response_key        text,
    revision            text,
    language            text NOT NULL DEFAULT 'vi',
    created_at          timestamptz NOT NULL DEFAULT now(),

    -- incoming: what became of the turn
    turn                text CHECK (turn IN ('waiting', 'answered', 'degraded', 'human')),
    turn_attempts       integer NOT NULL DEFAULT 0,
    understood          jsonb,
    finished_at         timestamptz,

    -- outgoing: what became of the delivery
    in_reply_to         bigint REFERENCES messages (id) ON DELETE CASCADE,
    delivery            text CHECK (delivery IN ('waiting', 'sending', 'sent', 'failed', 'unknown', 'blocked', 'outside_window')),
    delivery_attempts   integer NOT NULL DEFAULT 0,
    delivery_error      text,
    send_after          timestamptz,

    CHECK ((direction = 'incoming') = (turn IS NOT NULL)),
    CHECK ((direction = 'outgoing') = (delivery IS NOT NULL))
);

-- A redelivered webhook carries the same provider id: the second insert is a no-op.
CREATE UNIQUE INDEX messages_once ON messages (channel, provider_id) WHERE direction = 'incoming';
CREATE INDEX messages_of_conversation ON messages (conversation_id, id);
CREATE INDEX messages_waiting_for_turn ON messages (conversation_id, id) WHERE turn = 'waiting';
CREATE INDEX messages_waiting_for_delivery ON messages (conversation_id, id) WHERE delivery IN ('waiting', 'sending');
