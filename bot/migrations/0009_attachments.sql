-- Pictures that stand beside a message, and the readings whose numbers it told: a correction goes to those who were told them.

ALTER TABLE messages ADD COLUMN attachments jsonb NOT NULL DEFAULT '[]';  -- [{"type": "image", "url": …, "alt": …}]
ALTER TABLE messages ADD COLUMN figures bigint[] NOT NULL DEFAULT '{}';   -- readings.id

CREATE INDEX messages_that_told ON messages USING gin (figures) WHERE figures <> '{}';
