-- A number that citizens were told and that its issuer changed since: who gets which correction, and what became of it.

CREATE TABLE corrections (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed        text NOT NULL,
    metric      text NOT NULL,
    place       text NOT NULL,                     -- as it was told: also a province that was summed over its parts
    span        text NOT NULL CHECK (span IN ('day', 'week', 'month', 'total')),
    as_of       date NOT NULL,
    days        integer,                           -- that the number counts; NULL for a total
    starts_at   timestamptz,
    ends_at     timestamptz,
    told_value  bigint NOT NULL,
    told_ids    bigint[] NOT NULL,                 -- readings.id that the told number stood on
    new_value   bigint NOT NULL,
    new_ids     bigint[] NOT NULL,
    issuer      text NOT NULL,
    url         text NOT NULL,
    fetched_at  timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'stopped', 'replaced', 'cancelled', 'ended')),
    proposed_at timestamptz NOT NULL DEFAULT now(),
    send_at     timestamptz NOT NULL,              -- not before then
    decided_by  text,                              -- who stopped it, or sent it at once
    decided_at  timestamptz,
    replaces    bigint REFERENCES corrections (id),

    CHECK (told_value <> new_value),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK (state <> 'stopped' OR decided_by IS NOT NULL)
);
-- Once for each number that was told, on however many machines it is looked for.
CREATE UNIQUE INDEX corrections_proposed_once ON corrections (feed, metric, place, span, as_of, told_value)
    WHERE state = 'proposed';

-- Each conversation once. `waiting` becomes `sent` in the transaction that stores the message: nobody gets it twice.
CREATE TABLE correction_recipients (
    correction_id   bigint NOT NULL REFERENCES corrections (id),
    conversation_id bigint NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    message_id      bigint NOT NULL REFERENCES messages (id) ON DELETE CASCADE,    -- that told the old number last
    told_at         timestamptz NOT NULL,
    state           text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'stopped', 'dropped')),
    reason          text NOT NULL DEFAULT '',                                      -- why it was dropped
    sent_id         bigint REFERENCES messages (id) ON DELETE SET NULL,
    finished_at     timestamptz,
    PRIMARY KEY (correction_id, conversation_id)
);
CREATE INDEX correction_recipients_waiting ON correction_recipients (conversation_id) WHERE state = 'waiting';
CREATE INDEX correction_recipients_of_message ON correction_recipients (message_id);
CREATE INDEX correction_recipients_sent ON correction_recipients (sent_id) WHERE sent_id IS NOT NULL;
CREATE INDEX correction_recipients_of_conversation ON correction_recipients (conversation_id);
