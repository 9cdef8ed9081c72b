-- What is known of a person goes when they ask, and by itself after a time (docs/privacy.md).

-- A talk that was erased leaves an empty conversation for its receipt, and that goes too, once the receipt was delivered.
ALTER TABLE conversations ADD COLUMN forget_at timestamptz;
CREATE INDEX conversations_to_forget ON conversations (forget_at) WHERE forget_at IS NOT NULL;
CREATE INDEX conversations_by_last_message ON conversations (last_message_at);

-- Deleting a message looks for its replies; deleting by age looks for the oldest.
CREATE INDEX messages_replies ON messages (in_reply_to) WHERE in_reply_to IS NOT NULL;
CREATE INDEX messages_by_age ON messages (created_at);
CREATE INDEX trackers_by_age ON trackers (updated_at);

-- The proof that data was erased, without whose: the citizen keeps the receipt's number.
CREATE TABLE erasures (
    receipt  text PRIMARY KEY CHECK (receipt ~ '^[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}$'),
    at       timestamptz NOT NULL DEFAULT now(),
    asked_by text NOT NULL,                        -- citizen, or who of the staff did it
    channel  text NOT NULL,
    erased   jsonb NOT NULL                        -- how many rows of which table
);

-- What the nightly round deleted, once a day over all machines.
CREATE TABLE retention_rounds (
    day         date PRIMARY KEY,
    began_at    timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    deleted     jsonb NOT NULL DEFAULT '{}'
);
