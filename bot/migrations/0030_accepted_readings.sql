-- Numbers of a feed that the gate holds back although their issuer means them: told once two people have said so.

CREATE TABLE acceptances (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed        text NOT NULL,
    metric      text NOT NULL,
    place       text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('total', 'day', 'week')),
    reading_ids bigint[] NOT NULL CHECK (cardinality(reading_ids) > 0),     -- readings.id, as the first person saw them
    because     text NOT NULL CHECK (btrim(because) <> ''),
    asked_by    text NOT NULL REFERENCES operators (name),
    asked_at    timestamptz NOT NULL DEFAULT now(),
    state       text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'accepted', 'refused', 'withdrawn')),
    accepted_by text REFERENCES operators (name),
    accepted_at timestamptz,
    ended_by    text REFERENCES operators (name),                           -- who refused it or took it back
    ended_at    timestamptz,
    ended_because text NOT NULL DEFAULT '',

    CHECK ((accepted_by IS NULL) = (accepted_at IS NULL)),
    CHECK ((ended_by IS NULL) = (ended_at IS NULL)),
    CHECK (state <> 'asked' OR (accepted_by IS NULL AND ended_by IS NULL)),
    CHECK (state <> 'accepted' OR accepted_by IS NOT NULL),
    CHECK ((state IN ('refused', 'withdrawn')) = (ended_by IS NOT NULL)),
    CONSTRAINT a_second_person_accepts CHECK (accepted_by <> asked_by)
);
CREATE UNIQUE INDEX acceptances_asked_once ON acceptances (feed, metric, place, kind) WHERE state = 'asked';
CREATE INDEX acceptances_of_series ON acceptances (feed, metric, place, kind, id);

CREATE FUNCTION loa_acceptances_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was asked is neither changed nor deleted: refuse it or take it back';
END;
$$;
CREATE TRIGGER acceptances_are_not_changed BEFORE UPDATE ON acceptances FOR EACH ROW
    WHEN ((NEW.id, NEW.feed, NEW.metric, NEW.place, NEW.kind, NEW.reading_ids, NEW.because, NEW.asked_by, NEW.asked_at)
          IS DISTINCT FROM
          (OLD.id, OLD.feed, OLD.metric, OLD.place, OLD.kind, OLD.reading_ids, OLD.because, OLD.asked_by, OLD.asked_at)
          OR OLD.state IN ('refused', 'withdrawn'))
    EXECUTE FUNCTION loa_acceptances_are_kept();
CREATE TRIGGER acceptances_are_not_deleted BEFORE DELETE ON acceptances
    FOR EACH ROW EXECUTE FUNCTION loa_acceptances_are_kept();
