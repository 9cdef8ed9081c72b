-- A second factor for staff, who still waits for approval, and what the Chatwoot adapter remembers.

ALTER TABLE operators
    ADD COLUMN totp_secret  text,                         -- encrypted with LOA_SECRET_KEY; NULL: no second factor
    ADD COLUMN totp_offered text,                         -- shown as a QR code, not yet confirmed with a code
    ADD COLUMN totp_step    bigint NOT NULL DEFAULT 0,    -- the last half minute whose code was taken: none is taken twice
    ADD COLUMN last_seen_at timestamptz;
-- New staff: what they write themselves is sent when a senior has read it.
ALTER TABLE operators ADD COLUMN IF NOT EXISTS needs_approval boolean NOT NULL DEFAULT false;

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
