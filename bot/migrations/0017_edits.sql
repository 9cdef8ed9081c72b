-- Edits arrive twice, late and in any order: which words are the newest is told by the platform's clock. 'infinity': deleted.

ALTER TABLE messages ADD COLUMN edited_at timestamptz;            -- incoming: of the newest words, NULL while there is no edit
