-- What Loa deletes of a citizen, by their word or by age, is deleted in the province's Chatwoot, too (bot/handoff/chatwoot_copies.py).

CREATE TABLE chatwoot_copies (
    number    bigint PRIMARY KEY,                    -- of a conversation that is gone: there the contact is `loa-<number>`
    since     timestamptz NOT NULL DEFAULT now(),
    tries     integer NOT NULL DEFAULT 0,            -- in vain
    try_after timestamptz
);

CREATE FUNCTION note_chatwoot_copy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chatwoot_copies (number) VALUES (OLD.conversation_id) ON CONFLICT DO NOTHING;
    RETURN OLD;
END $$;

CREATE TRIGGER chatwoot_copy_left AFTER DELETE ON chatwoot_conversations FOR EACH ROW EXECUTE FUNCTION note_chatwoot_copy();
