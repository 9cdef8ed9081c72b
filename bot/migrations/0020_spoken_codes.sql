-- A call and a chat of the same citizen find each other by four digits that are said aloud; and how many calls there were.

-- One row is one code, for half an hour; then it is deleted, and with it that the two belonged together. Made in the chat it has a
-- conversation, made by an operator it has the operator; linked, it has both. Nothing about the caller.
CREATE TABLE spoken_codes (
    code            text PRIMARY KEY CHECK (code ~ '^[0-9]{4}$'),
    conversation_id bigint UNIQUE REFERENCES conversations (id) ON DELETE CASCADE,
    operator_id     bigint UNIQUE REFERENCES operators (id),
    made_at         timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    linked_at       timestamptz,

    CHECK (conversation_id IS NOT NULL OR operator_id IS NOT NULL),
    CHECK ((linked_at IS NOT NULL) = (conversation_id IS NOT NULL AND operator_id IS NOT NULL))
);

-- Wrong codes of the last half hour: whoever guesses is stopped. One of the two says who.
CREATE TABLE spoken_code_guesses (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation_id bigint REFERENCES conversations (id) ON DELETE CASCADE,
    operator_id     bigint REFERENCES operators (id),
    at              timestamptz NOT NULL DEFAULT now(),

    CHECK ((conversation_id IS NULL) <> (operator_id IS NULL))
);
CREATE INDEX spoken_code_guesses_at ON spoken_code_guesses (at);
CREATE INDEX spoken_code_guesses_of_conversation ON spoken_code_guesses (conversation_id, at) WHERE conversation_id IS NOT NULL;
CREATE INDEX spoken_code_guesses_of_operator ON spoken_code_guesses (operator_id, at) WHERE operator_id IS NOT NULL;

-- Calls are counted by day, desk, topic and whether they were answered; nothing else is kept of them.
CREATE TABLE phone_calls (
    day    date NOT NULL,
    desk   text NOT NULL,
    topic  text NOT NULL,                              -- an intent, or '' for a call that was about none
    solved boolean NOT NULL,
    count  integer NOT NULL DEFAULT 0 CHECK (count >= 0),
    PRIMARY KEY (day, desk, topic, solved)
);

-- Forms that were counted within the last half hour: a double click is one call.
CREATE TABLE phone_call_forms (
    key text PRIMARY KEY,
    at  timestamptz NOT NULL DEFAULT now()
);
