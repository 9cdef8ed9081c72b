-- The translators' page: who was invited, every wording that was saved there, and what was recorded.

-- The link holds the token, the table its SHA-256: a copy of the table opens no page.
CREATE TABLE translator_invites (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    tag        text NOT NULL,                           -- of data/directory/languages.yml
    name       text NOT NULL,                           -- as in `reviewers` there; it goes into the file of translations
    role       text NOT NULL CHECK (role IN ('translator', 'reviewer')),
    made_by    text NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz,
    seen_at    timestamptz,
    CHECK (expires_at > made_at)
);

-- A recording of one answer in one language; a newer one takes its place. `text_hash` is of the translation that it speaks, `said`
-- are the words as they are heard, numbers and names filled in.
CREATE TABLE translation_audio (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tag        text NOT NULL,
    context    text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('ogg', 'mp3')),
    content    bytea NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 2097152),
    text_hash  text NOT NULL,
    said       text NOT NULL,
    invite_id  bigint NOT NULL REFERENCES translator_invites (id),
    made_at    timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz
);
CREATE UNIQUE INDEX translation_audio_one ON translation_audio (tag, context) WHERE removed_at IS NULL;

-- Every step of a text: rows are added and never changed. Two who write over the same number: the second is told.
CREATE TABLE translation_revisions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tag         text NOT NULL,
    context     text NOT NULL,                          -- utter_greet, utter_greet/button/0, or a fragment's key
    number      integer NOT NULL CHECK (number > 0),
    action      text NOT NULL CHECK (action IN ('save', 'done', 'approve', 'return', 'restore', 'audio')),
    status      text NOT NULL CHECK (status IN ('draft', 'done', 'approved')),
    text        text NOT NULL,
    source      text NOT NULL,                          -- the Vietnamese that was translated
    author      text NOT NULL,                          -- who wrote these words: the text may have come from the file
    file_text   text NOT NULL,                          -- what stood in the file of translations then
    note        text NOT NULL DEFAULT '',               -- what a reviewer said when returning it
    invite_id   bigint NOT NULL REFERENCES translator_invites (id),
    at          timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tag, context, number)
);

CREATE FUNCTION loa_translation_revisions_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'translation_revisions is append-only: % is refused', TG_OP;
END;
$$;

CREATE TRIGGER translation_revisions_rows_stay BEFORE UPDATE OR DELETE ON translation_revisions
    FOR EACH ROW EXECUTE FUNCTION loa_translation_revisions_stay();
