-- Readings of official feeds: the last good one is what citizens are told, with its own date.

CREATE TABLE readings (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed        text NOT NULL,
    metric      text NOT NULL,                 -- cases, deaths, doses, …
    place       text NOT NULL,                 -- 'vn' or a province's key
    as_of       date NOT NULL,                 -- the day the figure is for
    stale_since date,                          -- the source has published no new value since then
    value       bigint NOT NULL CHECK (value >= 0),
    issuer      text NOT NULL,
    url         text NOT NULL,
    fetched_at  timestamptz NOT NULL,
    UNIQUE (feed, metric, place, as_of, value)
);

-- One attempt at a time over all machines, and not again before a while after a failure.
CREATE TABLE feed_attempts (
    feed         text PRIMARY KEY,
    attempted_at timestamptz NOT NULL,
    succeeded_at timestamptz,
    error        text
);
