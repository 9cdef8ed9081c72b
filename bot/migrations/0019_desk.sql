-- What new staff write waits until a senior has read it: nothing reaches a citizen on its own.

ALTER TABLE operators ADD COLUMN needs_approval boolean NOT NULL DEFAULT false;

CREATE TABLE drafts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id     bigint NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    operator_id bigint NOT NULL REFERENCES operators (id),
    key         text NOT NULL UNIQUE,                  -- the form's: posted twice, kept once
    text        text NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'refused', 'void')),
    decided_by  bigint REFERENCES operators (id),
    decided_at  timestamptz,
    reason      text NOT NULL DEFAULT '',
    CHECK ((state = 'waiting') = (decided_by IS NULL)),
    CHECK (decided_by IS DISTINCT FROM operator_id)    -- nobody approves their own words
);
CREATE INDEX drafts_of_case ON drafts (case_id, id);
CREATE INDEX drafts_waiting ON drafts (id) WHERE state = 'waiting';

CREATE FUNCTION loa_tell_desk_of_draft() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('loa_desk', json_build_object('case', NEW.case_id, 'kind', 'draft')::text);
    RETURN NULL;
END;
$$;
CREATE TRIGGER drafts_tell_desk AFTER INSERT OR UPDATE ON drafts
    FOR EACH ROW EXECUTE FUNCTION loa_tell_desk_of_draft();
