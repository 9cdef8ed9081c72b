-- What platforms report beside messages: signs of life, campaigns, edits, and what a person wrote in the platform's inbox.

ALTER TABLE conversations ADD COLUMN interacted_at timestamptz;   -- the citizen's last sign of life: a window of answers begins
ALTER TABLE conversations ADD COLUMN operator_until timestamptz;  -- a person took over in the platform's inbox; NULL: on the desk
ALTER TABLE conversations ADD COLUMN campaign text CHECK (campaign ~ '^[A-Za-z0-9_-]{1,64}$');
ALTER TABLE conversations ADD COLUMN campaign_at timestamptz;
UPDATE conversations SET interacted_at = last_message_at;
CREATE INDEX conversations_with_an_operator ON conversations (operator_until) WHERE operator_until IS NOT NULL;

ALTER TABLE messages ADD COLUMN sent_at timestamptz;              -- incoming: the platform's clock
ALTER TABLE messages ADD COLUMN place text;                       -- incoming: of a location
ALTER TABLE messages ADD COLUMN edits integer NOT NULL DEFAULT 0; -- incoming: a turn ends only for the text that it answered
ALTER TABLE messages ADD COLUMN joined_to bigint REFERENCES messages (id) ON DELETE CASCADE; -- answered together with this one
ALTER TABLE messages ADD COLUMN provider_ids text[] NOT NULL DEFAULT '{}'; -- outgoing: the platform's ids of all its parts
UPDATE messages SET provider_ids = ARRAY[provider_id] WHERE direction = 'outgoing' AND provider_id IS NOT NULL;
CREATE INDEX messages_sent_ids ON messages USING gin (provider_ids) WHERE direction = 'outgoing';
CREATE INDEX messages_joined ON messages (joined_to) WHERE joined_to IS NOT NULL;

ALTER TABLE messages DROP CONSTRAINT messages_turn_check;
ALTER TABLE messages ADD CONSTRAINT messages_turn_check
    CHECK (turn IN ('waiting', 'answered', 'degraded', 'human', 'withdrawn', 'silent'));
ALTER TABLE messages DROP CONSTRAINT messages_delivery_check;
ALTER TABLE messages ADD CONSTRAINT messages_delivery_check
    CHECK (delivery IN ('waiting', 'sending', 'sent', 'failed', 'unknown', 'blocked', 'outside_window', 'withdrawn'));

-- Echoes that came while a send of ours was on its way: whose words they are is known once the platform has told its id.
CREATE TABLE echoes (
    channel         text NOT NULL,
    conversation_id bigint NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    provider_id     text NOT NULL,
    text            text NOT NULL,
    operator        text,
    operator_until  timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (conversation_id, provider_id)
);

-- Platforms take 64 bytes or 20 letters back from a button: the payload goes there by a short name, always the same one.
CREATE FUNCTION loa_short_id(payload text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT 'loa-' || left(encode(sha256(convert_to(payload, 'UTF8')), 'hex'), 20)
$$;
CREATE TABLE payload_ids (
    id      text PRIMARY KEY,
    payload text NOT NULL
);
CREATE FUNCTION loa_note_payloads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO payload_ids (id, payload)
    SELECT DISTINCT loa_short_id(button ->> 'payload'), button ->> 'payload'
      FROM jsonb_array_elements(NEW.buttons) AS button WHERE button ->> 'payload' IS NOT NULL
     ORDER BY 1 ON CONFLICT (id) DO NOTHING;
    RETURN NULL;
END;
$$;
CREATE TRIGGER messages_note_payloads AFTER INSERT ON messages
    FOR EACH ROW WHEN (NEW.direction = 'outgoing' AND NEW.buttons <> '[]') EXECUTE FUNCTION loa_note_payloads();
INSERT INTO payload_ids (id, payload)
SELECT DISTINCT loa_short_id(button ->> 'payload'), button ->> 'payload'
  FROM messages, jsonb_array_elements(buttons) AS button WHERE button ->> 'payload' IS NOT NULL ON CONFLICT DO NOTHING;
