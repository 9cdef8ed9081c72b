-- Who may work on the staff pages, what they did, and the sessions they have open.

CREATE TABLE operators (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name                 text NOT NULL UNIQUE CHECK (name ~ '^[a-z][a-z0-9._-]{1,31}$'),
    role                 text NOT NULL CHECK (role IN ('operator', 'senior', 'content', 'admin')),
    password_hash        text NOT NULL,                 -- argon2id
    must_change_password boolean NOT NULL DEFAULT true,
    disabled_at          timestamptz,                   -- nobody is deleted: the log names them
    created_at           timestamptz NOT NULL DEFAULT now()
);

-- The cookie holds the token, the table its SHA-256: a copy of the table opens no session.
CREATE TABLE staff_sessions (
    token_hash   bytea PRIMARY KEY,
    operator_id  bigint NOT NULL REFERENCES operators (id),
    started_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX staff_sessions_of_operator ON staff_sessions (operator_id);

-- Tries to log in that have not succeeded, kept for a day: they lock a name and slow an address down.
CREATE TABLE login_failures (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text NOT NULL,
    address text NOT NULL,
    at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_failures_of_name ON login_failures (name, at);
CREATE INDEX login_failures_of_address ON login_failures (address, at);

-- What staff did. Rows are added and never changed.
CREATE TABLE audit_log (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL DEFAULT now(),
    actor  text NOT NULL,                               -- an operator's name, or shell:<user> for a command
    action text NOT NULL,
    object text NOT NULL DEFAULT '',
    detail jsonb NOT NULL DEFAULT '{}'
);

CREATE FUNCTION loa_audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_log is append-only: % is refused', TG_OP;
END;
$$;

CREATE TRIGGER audit_log_rows_stay BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION loa_audit_log_is_append_only();
CREATE TRIGGER audit_log_stays BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION loa_audit_log_is_append_only();
