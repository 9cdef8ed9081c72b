-- What the bot could not answer, without who asked it: words in which names and numbers are masked, and a day. Nothing here points
-- at a conversation or a message. What people decide about it becomes examples, tasks, or nothing.

CREATE TABLE learn_groups (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    language text NOT NULL,
    leader   text NOT NULL,                            -- its first question; whatever is nearly the same joins it
    state    text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'proposed', 'closed')),
    made_on  date NOT NULL DEFAULT current_date
);
CREATE INDEX learn_groups_open ON learn_groups (state, language);

CREATE TABLE learn_questions (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_id bigint REFERENCES learn_groups (id) ON DELETE CASCADE,  -- NULL until it is grouped
    day      date NOT NULL,
    language text NOT NULL,
    text     text NOT NULL CHECK (length(text) BETWEEN 1 AND 500),   -- masked (bot/privacy/masking.py)
    plain    text NOT NULL,                            -- the same for searching: small letters, no marks
    reason   text NOT NULL CHECK (reason IN ('not_understood', 'handed_over', 'unsure', 'refused', 'not_helpful')),
    guesses  jsonb NOT NULL DEFAULT '[]'               -- [[intent, probability], …], the likeliest first
);
CREATE INDEX learn_questions_of_group ON learn_questions (group_id, day DESC);
CREATE INDEX learn_questions_to_group ON learn_questions (id) WHERE group_id IS NULL;
CREATE INDEX learn_questions_same ON learn_questions (md5(text));

-- What people decided about a group. A topic counts only when a second person agrees, to the very examples that were proposed.
CREATE TABLE learn_decisions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text NOT NULL UNIQUE DEFAULT substr(replace(gen_random_uuid()::text, '-', ''), 1, 12),  -- its name in the files
    group_id    bigint NOT NULL REFERENCES learn_groups (id) ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('topic', 'answer', 'out_of_scope', 'ignore')),
    topic       text,                                  -- the intent
    examples    text[] NOT NULL DEFAULT '{}',
    asked       integer NOT NULL,                      -- how many questions the group held then
    note        text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    state       text NOT NULL CHECK (state IN ('proposed', 'agreed', 'refused', 'undone')),
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    decided_by  text,
    decided_at  timestamptz,
    undone_by   text,
    undone_at   timestamptz,
    task        text CHECK (task IN ('todo', 'doing', 'done')),
    task_by     text,
    task_at     timestamptz,
    applied_at  timestamptz,                           -- when its examples were written into the files

    CHECK ((kind = 'topic') = (topic IS NOT NULL)),
    CHECK ((kind = 'answer') = (task IS NOT NULL)),
    CHECK (kind = 'topic' OR state <> 'proposed'),
    CHECK (state <> 'agreed' OR kind <> 'topic' OR (decided_by IS NOT NULL AND decided_by <> proposed_by))
);
CREATE UNIQUE INDEX learn_decisions_one ON learn_decisions (group_id) WHERE state IN ('proposed', 'agreed');
CREATE INDEX learn_decisions_tasks ON learn_decisions (task) WHERE kind = 'answer' AND state = 'agreed';

-- How far the finished turns were read. Beginning now: what was said before was said under other rules.
CREATE TABLE learn_state (
    is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
    finished_at timestamptz NOT NULL DEFAULT now(),
    last_turn   bigint NOT NULL DEFAULT 0
);
INSERT INTO learn_state DEFAULT VALUES;

CREATE INDEX messages_finished_turns ON messages (finished_at, id) WHERE direction = 'incoming' AND finished_at IS NOT NULL;
