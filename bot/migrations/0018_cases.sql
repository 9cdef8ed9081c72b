-- The desk: a case is one piece of work for people. Who may answer is conversations.owner alone (bot/handoff/ownership.py).

CREATE TABLE cases (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation_id  bigint NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    desk             text NOT NULL,                -- as in data/directory/desks.yml
    reason           text NOT NULL CHECK (reason IN ('asked', 'not_understood', 'not_helpful', 'emergency', 'platform', 'left',
                                                     'phone', 'content')),
    is_urgent        boolean NOT NULL DEFAULT false,
    state            text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'claimed', 'ended')),
    operator_id      bigint REFERENCES operators (id),  -- NULL while claimed: somebody types in the platform's own inbox
    outcome          text,
    label            text,
    topic            text,                         -- the intent that the bot guessed last
    place            text,
    language         text NOT NULL,
    opened_at        timestamptz NOT NULL DEFAULT now(),
    waiting_since    timestamptz NOT NULL DEFAULT now(),
    claimed_at       timestamptz,
    ended_at         timestamptz,
    citizen_at       timestamptz,                  -- the citizen's last words
    operator_at      timestamptz,                  -- a person's last words to them
    unanswered_since timestamptz,                  -- since when the citizen waits for a person's next words
    transfer_to      text,                         -- the desk that the citizen was asked about
    contact          text,                         -- what the citizen left to be reached by
    consented_at     timestamptz,                  -- when they agreed that their question is kept for people

    CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
    CHECK (state <> 'claimed' OR claimed_at IS NOT NULL),
    CHECK (contact IS NULL OR consented_at IS NOT NULL)
);
CREATE UNIQUE INDEX cases_open_once ON cases (conversation_id) WHERE state <> 'ended';
CREATE INDEX cases_of_conversation ON cases (conversation_id, id);
CREATE INDEX cases_waiting ON cases (is_urgent DESC, waiting_since, id) WHERE state = 'waiting';
CREATE INDEX cases_of_operator ON cases (operator_id) WHERE state = 'claimed';
CREATE INDEX cases_past ON cases (ended_at DESC, id DESC) WHERE state = 'ended';
CREATE INDEX cases_claimed_lately ON cases (desk, claimed_at) WHERE claimed_at IS NOT NULL;

-- What became of a case, step by step. Rows are added; they go only with the case, when a citizen's data is deleted.
CREATE TABLE case_events (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id bigint NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    event   text NOT NULL,
    actor   text NOT NULL,                         -- citizen, bot, clock, or an operator's name
    detail  jsonb NOT NULL DEFAULT '{}'            -- never words of a citizen
);
CREATE INDEX case_events_of_case ON case_events (case_id, id);

CREATE FUNCTION loa_case_events_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM cases WHERE id = OLD.case_id) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'case_events is append-only: % is refused', TG_OP;
END;
$$;
CREATE TRIGGER case_events_rows_stay BEFORE UPDATE OR DELETE ON case_events
    FOR EACH ROW EXECUTE FUNCTION loa_case_events_stay();

CREATE TABLE case_notes (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id     bigint NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    operator_id bigint NOT NULL REFERENCES operators (id),
    at          timestamptz NOT NULL DEFAULT now(),
    text        text NOT NULL
);
CREATE INDEX case_notes_of_case ON case_notes (case_id, id);

ALTER TABLE messages ADD COLUMN operator_id bigint REFERENCES operators (id);  -- outgoing: who of the desk wrote it
ALTER TABLE messages ADD COLUMN send_key text;                                 -- outgoing: of the form; a double click stores once
CREATE UNIQUE INDEX messages_sent_once ON messages (conversation_id, send_key) WHERE send_key IS NOT NULL;

-- Who types in a platform's inbox today has a case from now on.
INSERT INTO cases (conversation_id, desk, reason, state, language, claimed_at)
SELECT id, '', 'platform', 'claimed', language, now() FROM conversations WHERE owner = 'operator';

-- The pages of the desk hear of changes at once, on every gateway: {"case": …, "conversation": …, "kind": …}.
CREATE FUNCTION loa_tell_desk(case_id bigint, conversation_id bigint, kind text) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('loa_desk', json_build_object('case', case_id, 'conversation', conversation_id, 'kind', kind)::text)
$$;

CREATE FUNCTION loa_case_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM loa_tell_desk(NEW.id, NEW.conversation_id, 'case');
    RETURN NULL;
END;
$$;
CREATE TRIGGER cases_tell_desk AFTER INSERT OR UPDATE ON cases FOR EACH ROW EXECUTE FUNCTION loa_case_changed();

CREATE FUNCTION loa_message_of_a_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM loa_tell_desk(id, conversation_id, CASE TG_OP WHEN 'INSERT' THEN 'message' ELSE 'delivery' END)
       FROM cases WHERE conversation_id = NEW.conversation_id AND state <> 'ended';
    RETURN NULL;
END;
$$;
CREATE TRIGGER messages_tell_desk AFTER INSERT OR UPDATE OF delivery, turn, text ON messages
    FOR EACH ROW EXECUTE FUNCTION loa_message_of_a_case();
