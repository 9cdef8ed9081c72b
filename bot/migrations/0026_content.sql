-- What staff put in force between two releases: answers withdrawn, notices, and verdicts on rumours (bot/content/).

-- The kill switch. Open until `until`, or until somebody restores the answer; nothing is ever changed but its end.
CREATE TABLE withdrawals (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    response_key text NOT NULL,
    language     text,                                -- one translation; NULL: the answer in every language
    reason       text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    withdrawn_by text NOT NULL,
    withdrawn_at timestamptz NOT NULL DEFAULT now(),
    until        timestamptz NOT NULL CHECK (until > withdrawn_at),
    ended_by     text,                                -- who restored it, or who withdrew it again with another end
    ended_at     timestamptz,
    CHECK ((ended_by IS NULL) = (ended_at IS NULL))
);
CREATE UNIQUE INDEX withdrawals_open ON withdrawals (response_key, coalesce(language, '')) WHERE ended_at IS NULL;

-- Words in front of answers. Sent only while a second person has approved them and their time runs.
CREATE TABLE notices (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope        text NOT NULL CHECK (scope IN ('all', 'topic', 'place')),
    subject      text NOT NULL DEFAULT '',            -- a topic or an intent; a key of data/directory/places
    places       text[] NOT NULL DEFAULT '{}',        -- the place and all that lies in it
    text         text NOT NULL CHECK (length(text) BETWEEN 1 AND 500),
    is_emergency boolean NOT NULL DEFAULT false,
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL CHECK (ends_at > starts_at),
    written_by   text NOT NULL,
    written_at   timestamptz NOT NULL DEFAULT now(),
    state        text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'rejected')),
    decided_by   text CHECK (decided_by <> written_by),
    decided_at   timestamptz,
    ended_by     text,
    ended_at     timestamptz,
    CHECK ((scope = 'all') = (subject = '')),
    CHECK ((state = 'proposed') = (decided_by IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL))
);

-- What officials say about a claim that goes round. Beside those of data/directory/rumours.yml.
CREATE TABLE rumour_verdicts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    claim         text NOT NULL CHECK (length(claim) BETWEEN 1 AND 300),
    wordings      text[] NOT NULL DEFAULT '{}',       -- masked words of those who reported it
    verdict       text NOT NULL CHECK (verdict IN ('wrong', 'misleading', 'outdated', 'right')),
    text          text NOT NULL CHECK (length(text) BETWEEN 1 AND 600),
    source_issuer text NOT NULL CHECK (source_issuer <> ''),
    source_title  text NOT NULL CHECK (source_title <> ''),
    source_number text NOT NULL DEFAULT '',
    source_date   date NOT NULL,
    source_url    text NOT NULL DEFAULT '',
    valid_until   date NOT NULL,                      -- the last day on which it is said
    written_by    text NOT NULL,
    written_at    timestamptz NOT NULL DEFAULT now(),
    state         text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'rejected')),
    decided_by    text CHECK (decided_by <> written_by),
    decided_at    timestamptz,
    ended_by      text,
    ended_at      timestamptz,
    CHECK ((state = 'proposed') = (decided_by IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL))
);

-- What a citizen agreed to hand over. It goes with their conversation; names and numbers were taken out before.
CREATE TABLE rumour_reports (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation_id bigint NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    message_id      bigint REFERENCES messages (id) ON DELETE SET NULL,
    text            text NOT NULL,
    links           text[] NOT NULL DEFAULT '{}',
    pictures        text[] NOT NULL DEFAULT '{}',
    consent         text NOT NULL,                    -- the revision of the words that were agreed to
    reported_at     timestamptz NOT NULL DEFAULT now(),
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'proposed', 'answered', 'dismissed')),
    verdict_id      bigint REFERENCES rumour_verdicts (id),
    known           text,                             -- a key of data/directory/rumours.yml instead
    reason          text,                             -- why it was dismissed
    decided_by      text,
    decided_at      timestamptz,
    -- waiting → sent: told once · dropped: with the reason
    telling         text CHECK (telling IN ('waiting', 'sent', 'dropped')),
    telling_reason  text,
    told_at         timestamptz,
    CHECK ((state = 'answered') = (telling IS NOT NULL)),
    CHECK (state <> 'answered' OR verdict_id IS NOT NULL OR known IS NOT NULL)
);
CREATE UNIQUE INDEX rumour_reports_once ON rumour_reports (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX rumour_reports_of_conversation ON rumour_reports (conversation_id);
CREATE INDEX rumour_reports_open ON rumour_reports (reported_at) WHERE state IN ('open', 'proposed');
CREATE INDEX rumour_reports_to_tell ON rumour_reports (conversation_id) WHERE telling = 'waiting';

-- Every gateway and worker hears of a change at once (bot/content/keeping.py).
CREATE FUNCTION loa_content_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('loa_content', TG_TABLE_NAME);
    RETURN NULL;
END;
$$;
CREATE TRIGGER withdrawals_changed AFTER INSERT OR UPDATE OR DELETE ON withdrawals
    FOR EACH STATEMENT EXECUTE FUNCTION loa_content_changed();
CREATE TRIGGER notices_changed AFTER INSERT OR UPDATE OR DELETE ON notices
    FOR EACH STATEMENT EXECUTE FUNCTION loa_content_changed();
CREATE TRIGGER rumour_verdicts_changed AFTER INSERT OR UPDATE OR DELETE ON rumour_verdicts
    FOR EACH STATEMENT EXECUTE FUNCTION loa_content_changed();
