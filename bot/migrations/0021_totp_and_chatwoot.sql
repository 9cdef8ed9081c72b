-- A second factor for staff, who still waits for approval, and what the Chatwoot adapter remembers.

ALTER TABLE operators
    ADD COLUMN totp_secret  text,                         -- encrypted with LOA_SECRET_KEY; NULL: no second factor
    ADD COLUMN totp_offered text,                         -- shown as a QR code, not yet confirmed with a code
    ADD COLUMN totp_step    bigint NOT NULL DEFAULT 0,    -- the last half minute whose code was taken: none is taken twice
    ADD COLUMN last_seen_at timestamptz;

-- Codes on paper for a lost phone, hashed with LOA_SECRET_KEY. Each opens once.
CREATE TABLE recovery_codes (
    operator_id bigint NOT NULL REFERENCES operators (id),
    code_hash   bytea NOT NULL,
    PRIMARY KEY (operator_id, code_hash)
);

-- Between the password and the code: a few minutes in which the browser may give the code, and nothing else.
CREATE TABLE login_steps (
    token_hash  bytea PRIMARY KEY,
    operator_id bigint NOT NULL REFERENCES operators (id),
    started_at  timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX audit_log_of_actor ON audit_log (actor, id);
CREATE INDEX audit_log_of_action ON audit_log (action, id);
CREATE INDEX audit_log_by_time ON audit_log (at);

-- Where a conversation stands in a province's Chatwoot (bot/handoff/chatwoot.py).
CREATE TABLE chatwoot_conversations (
    conversation_id bigint PRIMARY KEY REFERENCES conversations (id) ON DELETE CASCADE,
    chatwoot_id     bigint UNIQUE,                   -- as Chatwoot numbers it within the account; NULL: not made yet
    case_id         bigint REFERENCES cases (id) ON DELETE SET NULL,  -- the last case that was told there
    mirrored_id     bigint NOT NULL DEFAULT 0,       -- the last message that stands there
    posting         text NOT NULL DEFAULT '',        -- what is being posted; left behind by a worker that died: it may stand there
    status          text NOT NULL DEFAULT 'pending', -- as we left or saw it
    is_due          boolean NOT NULL DEFAULT true,   -- something happened there that is to be looked at
    looked_at       timestamptz,
    tries           integer NOT NULL DEFAULT 0,      -- in vain, one after the other
    try_after       timestamptz,
    told_away       bigint                           -- the case whose citizen was told that the desk cannot be reached
);
CREATE INDEX chatwoot_conversations_due ON chatwoot_conversations (conversation_id) WHERE is_due OR status IN ('open', 'snoozed');

-- Every message of an agent is taken once, whatever came of it.
CREATE TABLE chatwoot_received (
    id              bigint PRIMARY KEY,              -- Chatwoot's
    conversation_id bigint NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    at              timestamptz NOT NULL DEFAULT now()
);

-- What agents are told by private notes: a key of locales/vi/interface/chatwoot.yml and its values.
CREATE TABLE chatwoot_notes (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation_id bigint NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    about           text NOT NULL UNIQUE,            -- one note about one thing
    words           text NOT NULL,
    detail          jsonb NOT NULL DEFAULT '{}',
    posted_at       timestamptz
);
CREATE INDEX chatwoot_notes_waiting ON chatwoot_notes (conversation_id, id) WHERE posted_at IS NULL;
