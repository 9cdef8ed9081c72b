-- Campaigns: links that bring people in, and what they led to, counted without people.
--
-- `conversations.campaign` is the only link between a person and a campaign. It is taken away within the hour
-- (bot/campaigns/counting.py); what the conversation led to until then goes into campaign_days, which knows no person. A new
-- code, or the conversation's deletion, ends the link at once, in the same way: triggers below, so that no path is forgotten.

CREATE TABLE campaigns (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code       text NOT NULL UNIQUE CHECK (code ~ '^[a-z0-9-]{3,24}$' AND code ~ '[0-9]'),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    topic      text,                                  -- an intent, whose answer greets whoever opens the link; NULL: a welcome of its own
    language   text NOT NULL DEFAULT 'vi',
    place      text,                                  -- a key of data/directory/places
    spot       text NOT NULL DEFAULT 'other'
               CHECK (spot IN ('fanpage', 'zalo', 'telegram', 'portal', 'poster', 'loudspeaker', 'other')),
    starts_on  date NOT NULL,
    ends_on    date CHECK (ends_on >= starts_on),     -- the last day; NULL: until somebody ends it
    ended_at   timestamptz,                           -- ended by hand; a code is never given away again
    made_by    text NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now()
);
-- Read aloud, `tet-2026` and `tet2026` are the same.
CREATE UNIQUE INDEX campaigns_spoken_code ON campaigns (replace(code, '-', ''));

CREATE VIEW campaigns_running AS
    SELECT * FROM campaigns
    WHERE ended_at IS NULL AND (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date BETWEEN starts_on AND coalesce(ends_on, 'infinity');

-- Words of a campaign's own. Nothing is sent or printed before a second person has approved it; versions are never changed.
CREATE TABLE campaign_texts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id bigint NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    welcome     text NOT NULL DEFAULT '' CHECK (length(welcome) <= 900),
    summary     text NOT NULL DEFAULT '' CHECK (length(summary) <= 200),  -- on the poster and under the post
    written_by  text NOT NULL,
    written_at  timestamptz NOT NULL DEFAULT now(),
    decided_by  text CHECK (decided_by <> written_by),
    decided_at  timestamptz,
    state       text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'rejected')),
    CHECK ((state = 'proposed') = (decided_by IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL))
);
CREATE INDEX campaign_texts_of ON campaign_texts (campaign_id, id);

-- Counts, and nothing but counts. `place` and `topic` are '' for what concerns a link or a conversation as a whole.
CREATE TABLE campaign_days (
    campaign_id bigint NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    day         date NOT NULL,
    place       text NOT NULL DEFAULT '',
    topic       text NOT NULL DEFAULT '',
    opened      integer NOT NULL DEFAULT 0,            -- the short link was opened by a person's browser
    started     integer NOT NULL DEFAULT 0,            -- conversations that came through the campaign
    questions   integer NOT NULL DEFAULT 0,            -- what they asked within the hour
    handed_over integer NOT NULL DEFAULT 0,            -- conversations that people took over or were called into
    solved      integer NOT NULL DEFAULT 0,            -- conversations whose questions the bot answered alone
    PRIMARY KEY (campaign_id, day, place, topic)
);

-- `campaign_at`: when the campaign's link was first opened in this conversation; the hour counts from here.
-- `campaign_opened_at`: when it was opened last; equal to the `created_at` of the message that came with it.
ALTER TABLE conversations ADD COLUMN campaign_opened_at timestamptz;
CREATE INDEX conversations_with_a_campaign ON conversations (campaign_at) WHERE campaign IS NOT NULL;
CREATE INDEX messages_campaign_welcomes ON messages (created_at) WHERE response_key = 'campaign_welcome';

-- What these conversations led to so far. Greetings and the like are no questions; a topic of '' was not understood.
CREATE FUNCTION loa_campaign_share(ids bigint[])
RETURNS TABLE (campaign_id bigint, day date, place text, topic text, started bigint, questions bigint, handed_over bigint, solved bigint)
LANGUAGE sql STABLE AS $$
    WITH talk AS (
        SELECT c.id, c.owner, c.campaign_at, k.id AS campaign_id, coalesce(k.place, '') AS place,
               (c.campaign_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day
        FROM conversations c JOIN campaigns k ON k.code = lower(c.campaign)
        WHERE c.id = ANY(ids)
          AND (c.campaign_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date BETWEEN k.starts_on AND coalesce(k.ends_on, 'infinity')
          AND c.campaign_at < coalesce(k.ended_at, 'infinity')
    ), said AS (
        SELECT t.id AS talk, t.campaign_id, t.day, m.turn, m.understood->>'intent' AS intent,
               coalesce((SELECT e->>'value' FROM jsonb_array_elements(
                             CASE jsonb_typeof(m.understood->'entities') WHEN 'array' THEN m.understood->'entities' ELSE '[]' END) e
                         WHERE e->>'entity' = 'place' AND e->>'value' <> '' LIMIT 1), t.place) AS place
        FROM talk t JOIN messages m ON m.conversation_id = t.id
        WHERE m.direction = 'incoming' AND m.kind <> 'start' AND m.created_at >= t.campaign_at
          AND m.turn IN ('answered', 'degraded', 'human') AND m.joined_to IS NULL
    ), question AS (
        SELECT *, CASE WHEN intent IN ('nlu_fallback', 'out_of_scope') THEN '' ELSE coalesce(intent, '') END AS topic
        FROM said WHERE coalesce(intent, '') NOT IN ('greet', 'goodbye', 'thanks', 'affirm', 'deny', 'choose_language',
                                                     'inform_place', 'help_menu', 'not_helpful', 'talk_to_human', 'bot_identity')
    ), outcome AS (
        SELECT t.id, t.owner <> 'bot'
               OR EXISTS (SELECT FROM said s WHERE s.talk = t.id AND s.turn = 'human')
               OR EXISTS (SELECT FROM cases k WHERE k.conversation_id = t.id AND k.opened_at >= t.campaign_at)
               OR EXISTS (SELECT FROM messages o WHERE o.conversation_id = t.id AND o.direction = 'outgoing'
                             AND o.author = 'operator' AND o.created_at >= t.campaign_at) AS handed_over,
               EXISTS (SELECT FROM question q WHERE q.talk = t.id)
               AND NOT EXISTS (SELECT FROM question q WHERE q.talk = t.id AND (q.topic = '' OR q.turn <> 'answered'))
               AND NOT EXISTS (SELECT FROM said s WHERE s.talk = t.id AND s.intent IN ('not_helpful', 'talk_to_human')) AS answered
        FROM talk t
    )
    SELECT t.campaign_id, t.day, '', '', count(*), 0::bigint, count(*) FILTER (WHERE o.handed_over),
           count(*) FILTER (WHERE o.answered AND NOT o.handed_over)
    FROM talk t JOIN outcome o USING (id) GROUP BY 1, 2
    UNION ALL
    SELECT q.campaign_id, q.day, q.place, q.topic, 0, count(*), 0, 0 FROM question q GROUP BY 1, 2, 3, 4
$$;

CREATE FUNCTION loa_campaign_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO campaign_days AS d (campaign_id, day, place, topic, started, questions, handed_over, solved)
    SELECT s.campaign_id, s.day, s.place, s.topic, sum(s.started), sum(s.questions), sum(s.handed_over), sum(s.solved)
    FROM loa_campaign_share(ARRAY[OLD.id]) s GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (campaign_id, day, place, topic) DO UPDATE
       SET started = d.started + EXCLUDED.started, questions = d.questions + EXCLUDED.questions,
           handed_over = d.handed_over + EXCLUDED.handed_over, solved = d.solved + EXCLUDED.solved;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END;
$$;
CREATE TRIGGER conversations_campaign_ends BEFORE UPDATE OF campaign ON conversations FOR EACH ROW
    WHEN (OLD.campaign IS NOT NULL AND lower(NEW.campaign) IS DISTINCT FROM lower(OLD.campaign))
    EXECUTE FUNCTION loa_campaign_ends();
CREATE TRIGGER conversations_campaign_erased BEFORE DELETE ON conversations FOR EACH ROW
    WHEN (OLD.campaign IS NOT NULL) EXECUTE FUNCTION loa_campaign_ends();

-- A link that is opened again does not begin another hour.
CREATE FUNCTION loa_campaign_opens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.campaign IS NULL THEN
        NEW.campaign_at := NULL;
        NEW.campaign_opened_at := NULL;
    ELSIF TG_OP = 'INSERT' THEN
        NEW.campaign_opened_at := NEW.campaign_at;
    ELSIF OLD.campaign_at IS NULL OR NEW.campaign_at > OLD.campaign_at THEN
        NEW.campaign_opened_at := NEW.campaign_at;
        IF lower(NEW.campaign) = lower(OLD.campaign) THEN
            NEW.campaign_at := OLD.campaign_at;
        END IF;
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER conversations_campaign_opens BEFORE INSERT OR UPDATE OF campaign, campaign_at ON conversations FOR EACH ROW
    EXECUTE FUNCTION loa_campaign_opens();
