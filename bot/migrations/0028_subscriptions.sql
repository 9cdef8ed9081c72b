-- News that citizens asked for: of what, how often, what they agreed to, and what they know already (bot/subscriptions/).

-- Every state of what can be subscribed to, in the order in which it was first seen. Names nobody.
CREATE TABLE news_editions (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind    text NOT NULL CHECK (kind IN ('figures', 'notices', 'answer')),
    subject text NOT NULL,                             -- a place, or the intent of an answer; '' of notices
    mark    text NOT NULL,                             -- the numbers that are told, the words of the answer, the notice
    seen_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, subject, mark)
);

CREATE TABLE subscriptions (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation_id  bigint NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    kind             text NOT NULL CHECK (kind IN ('figures', 'notices', 'answer')),
    subject          text NOT NULL CHECK (subject <> ''),
    how              text NOT NULL CHECK (how IN ('daily', 'changes')),
    -- The consent: what was read, on which channel, which revision of the words, and when it was agreed to.
    consent_text     text NOT NULL,
    consent_revision text NOT NULL,
    consent_language text NOT NULL,
    channel          text NOT NULL,
    consented_at     timestamptz NOT NULL DEFAULT now(),
    -- No edition up to this one is news to the person. It is raised in the transaction that stores the message.
    told             bigint NOT NULL,
    sent_at          timestamptz,
    ended_at         timestamptz,
    ended_in         bigint REFERENCES messages (id) ON DELETE SET NULL  -- the message that asked for the end
);
CREATE UNIQUE INDEX subscriptions_once ON subscriptions (conversation_id, kind, subject) WHERE ended_at IS NULL;
CREATE INDEX subscriptions_of_news ON subscriptions (kind, subject, told) WHERE ended_at IS NULL;
CREATE INDEX subscriptions_of_conversation ON subscriptions (conversation_id);
CREATE INDEX subscriptions_ended_in ON subscriptions (ended_in) WHERE ended_in IS NOT NULL;
