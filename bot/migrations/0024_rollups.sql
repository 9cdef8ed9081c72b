-- What happened on each day, in numbers: no person, no conversation, no word of anybody. Written by bot/insights/rollups.py while
-- the messages are there, kept when they are deleted. Days are those of Viet Nam.
--
-- One dimension at a time: a count of one place, one language and one topic together would soon be a count of one person. Whatever
-- is named is a key of ours (a topic, a place, a language), which a phone number or a position on the map cannot be.

CREATE DOMAIN insight_key AS text NOT NULL CHECK (VALUE ~ '^([A-Za-z][A-Za-z0-9_-]{0,79})?$');

-- When a day was counted last. It is counted again until a day after its end: answers, sends and cases end later.
CREATE TABLE insight_rounds (
    day        date PRIMARY KEY,
    counted_at timestamptz NOT NULL
);

-- `part`: what the day is divided by; 'all': not at all. `key`: '' is 'not said', or for a topic 'not understood'.
CREATE TABLE insight_days (
    day           date NOT NULL,
    part          text NOT NULL CHECK (part IN ('all', 'channel', 'language', 'place', 'topic')),
    key           insight_key,
    messages      integer NOT NULL DEFAULT 0,          -- of citizens
    conversations integer NOT NULL DEFAULT 0,          -- different ones on this day
    by_bot        integer NOT NULL DEFAULT 0,          -- of these: those that no person had to do with
    questions     integer NOT NULL DEFAULT 0,          -- messages that asked the bot something; the next five are their outcomes
    answered      integer NOT NULL DEFAULT 0,          -- by the bot alone
    fallback      integer NOT NULL DEFAULT 0,          -- not understood: topics were offered
    refused       integer NOT NULL DEFAULT 0,          -- understood, and not for the bot to answer
    handed_over   integer NOT NULL DEFAULT 0,          -- the answer was a person, or whom to call
    degraded      integer NOT NULL DEFAULT 0,          -- Rasa gave no answer in time
    typed         integer NOT NULL DEFAULT 0,          -- in words that the bot had to understand
    understood    integer NOT NULL DEFAULT 0,
    emergencies   integer NOT NULL DEFAULT 0,          -- words that were answered with 115
    PRIMARY KEY (day, part, key)
);

-- Each wording of each answer. `asked`: with the buttons "helpful" and "not helpful"; those two count messages, not presses.
CREATE TABLE insight_answers (
    day          date NOT NULL,
    response_key insight_key,
    revision     text NOT NULL CHECK (revision ~ '^[0-9a-f]{0,16}$'),
    told         integer NOT NULL DEFAULT 0,
    asked        integer NOT NULL DEFAULT 0,
    helpful      integer NOT NULL DEFAULT 0,
    not_helpful  integer NOT NULL DEFAULT 0,
    PRIMARY KEY (day, response_key, revision)
);

-- How long citizens waited, `of` an answer (key: the channel) or a person (key: the desk). `up_to`: seconds; the last is any longer.
CREATE TABLE insight_times (
    day   date NOT NULL,
    of    text NOT NULL CHECK (of IN ('answer', 'person')),
    key   insight_key,
    up_to integer NOT NULL,
    count integer NOT NULL,
    PRIMARY KEY (day, of, key, up_to)
);

CREATE TABLE insight_cases (
    day    date NOT NULL,
    desk   insight_key,
    reason insight_key,
    count  integer NOT NULL,
    urgent integer NOT NULL,
    PRIMARY KEY (day, desk, reason)
);

CREATE TABLE insight_figures (
    day    date NOT NULL,
    metric insight_key,
    place  insight_key,
    told   integer NOT NULL,
    PRIMARY KEY (day, metric, place)
);

-- What became of what we sent. `reason`: one of few words, made of the platform's sentence; '' for what arrived.
CREATE TABLE insight_deliveries (
    day     date NOT NULL,
    channel insight_key,
    status  insight_key,
    reason  insight_key,
    count   integer NOT NULL,
    PRIMARY KEY (day, channel, status, reason)
);
