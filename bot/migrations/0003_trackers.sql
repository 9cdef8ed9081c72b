-- Rasa's memory of each conversation: one row, the last turns only. The history is the messages table.
-- Written by bot/brain/tracker_store.py; erasing a citizen's data deletes the row.

CREATE TABLE trackers (
    sender_id       text PRIMARY KEY,                  -- the conversation as the gateway names it
    events          jsonb NOT NULL,                    -- Rasa's events of the last turns, trimmed
    slots           jsonb NOT NULL DEFAULT '{}',
    intent          text,                              -- what was understood of the last message
    confidence      real,
    ranking         jsonb NOT NULL DEFAULT '[]',
    language        text,
    place           text,
    last_message_id text,
    updated_at      timestamptz NOT NULL DEFAULT now()
);
