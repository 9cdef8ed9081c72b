-- Every figure as its issuer published it, and every version of it: a corrected number is a new row that supersedes the old
-- one. What a citizen was told can be looked up years later, so a row's number is never changed and never deleted.

CREATE TEMPORARY TABLE readings_before ON COMMIT DROP AS SELECT * FROM readings;
CREATE TEMPORARY TABLE attempts_before ON COMMIT DROP AS SELECT * FROM feed_attempts;
DROP TABLE readings, feed_attempts;

CREATE TABLE readings (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed         text NOT NULL,
    metric       text NOT NULL,                 -- cases, deaths, doses, …
    place        text NOT NULL,                 -- 'vn', a province's key, a key of before July 2025, 'unknown'
    as_of        date NOT NULL,                 -- the (last) day that the number is for, in Viet Nam
    kind         text NOT NULL CHECK (kind IN ('total', 'day', 'week')),
    starts_at    timestamptz,                   -- where the issuer's day does not end at midnight
    ends_at      timestamptz,
    value        bigint NOT NULL,
    issuer       text NOT NULL,
    url          text NOT NULL,
    fetched_at   timestamptz NOT NULL,          -- when this number was read first
    last_seen_at timestamptz NOT NULL,          -- when the feed said it last
    verdict      text NOT NULL CHECK (verdict IN ('good', 'suspect', 'incomplete')),
    marks        text[] NOT NULL DEFAULT '{}',
    reasons      text[] NOT NULL DEFAULT '{}',
    supersedes   bigint UNIQUE REFERENCES readings (id)
);

-- One first version of each number; with the unique `supersedes` the versions are a chain.
CREATE UNIQUE INDEX readings_first ON readings (feed, metric, place, kind, as_of) WHERE supersedes IS NULL;
CREATE INDEX readings_of_series ON readings (feed, metric, place, kind, as_of, id);
CREATE INDEX readings_of_day ON readings (feed, as_of);

-- Where one day had several values, the one seen last supersedes the one before it.
INSERT INTO readings (id, feed, metric, place, as_of, kind, value, issuer, url, fetched_at, last_seen_at, verdict, supersedes)
OVERRIDING SYSTEM VALUE
SELECT number, feed, metric, place, as_of, 'total', value, issuer, url, fetched_at, fetched_at, 'good',
       lag(number) OVER (PARTITION BY feed, metric, place, as_of ORDER BY number)
  FROM (SELECT *, row_number() OVER (ORDER BY fetched_at, id) AS number FROM readings_before) AS numbered
 ORDER BY number;
SELECT setval(pg_get_serial_sequence('readings', 'id'), max(id)) FROM readings HAVING max(id) IS NOT NULL;

CREATE FUNCTION loa_readings_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a reading is neither changed nor deleted: add one that supersedes it';
END;
$$;

CREATE TRIGGER readings_are_not_changed BEFORE UPDATE ON readings FOR EACH ROW
    WHEN ((NEW.id, NEW.feed, NEW.metric, NEW.place, NEW.as_of, NEW.kind, NEW.starts_at, NEW.ends_at, NEW.value, NEW.issuer,
           NEW.url, NEW.fetched_at, NEW.supersedes)
          IS DISTINCT FROM
          (OLD.id, OLD.feed, OLD.metric, OLD.place, OLD.as_of, OLD.kind, OLD.starts_at, OLD.ends_at, OLD.value, OLD.issuer,
           OLD.url, OLD.fetched_at, OLD.supersedes))
    EXECUTE FUNCTION loa_readings_are_kept();
CREATE TRIGGER readings_are_not_deleted BEFORE DELETE ON readings FOR EACH ROW EXECUTE FUNCTION loa_readings_are_kept();
CREATE TRIGGER readings_are_not_emptied BEFORE TRUNCATE ON readings FOR EACH STATEMENT EXECUTE FUNCTION loa_readings_are_kept();

-- How a series stands: the newest row of its feed's document, reported or not, since when nothing new was reported, and the
-- last day that it has a good reading for (kept by a trigger: what lies far behind that day is not read again and again).
CREATE TABLE series_state (
    feed        text NOT NULL,
    metric      text NOT NULL,
    place       text NOT NULL,
    kind        text NOT NULL,
    newest_row  date,
    stale_since date,
    last_good   date,
    PRIMARY KEY (feed, metric, place, kind)
);
INSERT INTO series_state
SELECT DISTINCT ON (feed, metric, place) feed, metric, place, 'total', as_of, stale_since, as_of
  FROM readings_before ORDER BY feed, metric, place, as_of DESC, fetched_at DESC;

-- One attempt at a time over all machines, not again before `due_at`, and one alert for one outage.
CREATE TABLE feed_state (
    feed          text PRIMARY KEY,
    rank          integer NOT NULL DEFAULT 0,   -- the lower, the more the feed counts where several speak of one day
    attempted_at  timestamptz NOT NULL,
    due_at        timestamptz NOT NULL,
    failures      integer NOT NULL DEFAULT 0,   -- in a row; an attempt that never ended counts
    succeeded_at  timestamptz,
    error         text,
    error_since   timestamptz,
    alerted_at    timestamptz,
    address_hash  text,                         -- of the address that the validators belong to; the address may hold a password
    etag          text,
    last_modified text,
    read_at       timestamptz,                  -- when the document was last read whole, not only found unchanged
    newest_row    date,
    warnings      text[] NOT NULL DEFAULT '{}'
);
INSERT INTO feed_state (feed, attempted_at, due_at, failures, succeeded_at, error, error_since)
SELECT feed, attempted_at, now(), CASE WHEN error IS NULL THEN 0 ELSE 1 END, succeeded_at, error,
       CASE WHEN error IS NOT NULL THEN attempted_at END
  FROM attempts_before;

-- Counts the changes, so that a process knows without reading them whether the figures it holds are still those of the database.
CREATE TABLE figures_version (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    version  bigint NOT NULL
);
INSERT INTO figures_version (version) VALUES (1);

CREATE FUNCTION loa_figures_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE figures_version SET version = version + 1;
    RETURN NULL;
END;
$$;
CREATE TRIGGER series_changed AFTER INSERT OR UPDATE OR DELETE ON series_state
    FOR EACH STATEMENT EXECUTE FUNCTION loa_figures_changed();

CREATE FUNCTION loa_readings_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO series_state AS state (feed, metric, place, kind, last_good)
    SELECT feed, metric, place, kind, max(as_of) FROM changed WHERE verdict = 'good' GROUP BY feed, metric, place, kind
    ON CONFLICT (feed, metric, place, kind) DO UPDATE SET last_good = greatest(state.last_good, excluded.last_good);
    RETURN NULL;
END;
$$;
CREATE TRIGGER readings_added AFTER INSERT ON readings REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION loa_readings_changed();
CREATE TRIGGER readings_judged AFTER UPDATE ON readings REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION loa_readings_changed();
