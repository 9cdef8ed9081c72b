-- Figures that staff enter from an official bulletin: told only after a second person approved them.

CREATE TABLE bulletins (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place         text NOT NULL,                 -- as in readings
    kind          text NOT NULL CHECK (kind IN ('day', 'week', 'total')),
    as_of         date NOT NULL,                 -- the (last) day in Viet Nam
    starts_at     timestamptz,                   -- where the issuer's day does not end at midnight
    ends_at       timestamptz,
    issuer        text NOT NULL CHECK (btrim(issuer) <> ''),
    url           text NOT NULL CHECK (url LIKE 'https://%'),
    note          text NOT NULL DEFAULT '',
    entered_by    text NOT NULL REFERENCES operators (name),
    entered_at    timestamptz NOT NULL DEFAULT now(),
    state         text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'rejected', 'withdrawn')),
    approved_by   text REFERENCES operators (name),
    approved_at   timestamptz,
    override      text CHECK (btrim(override) <> ''),       -- why it was approved although the gate doubted it
    ended_by      text REFERENCES operators (name),         -- who rejected or withdrew it
    ended_at      timestamptz,
    ended_because text NOT NULL DEFAULT '',
    supersedes    bigint UNIQUE REFERENCES bulletins (id),

    CHECK (starts_at IS NULL OR ends_at IS NOT NULL),
    CHECK (starts_at < ends_at),
    CHECK (kind <> 'total' OR starts_at IS NULL),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK ((ended_by IS NULL) = (ended_at IS NULL)),
    CHECK (state NOT IN ('proposed', 'rejected') OR approved_by IS NULL),
    CHECK (state <> 'approved' OR approved_by IS NOT NULL),
    CHECK ((state IN ('rejected', 'withdrawn')) = (ended_by IS NOT NULL)),
    -- Two people: nobody tells the province a number alone.
    CONSTRAINT a_second_person_approves CHECK (approved_by <> entered_by)
);
-- Of one place and window one proposal at a time, and one approved bulletin that counts.
CREATE UNIQUE INDEX bulletins_proposed_once ON bulletins (place, kind, as_of) WHERE state = 'proposed';
CREATE INDEX bulletins_of_window ON bulletins (place, kind, as_of, id);

CREATE TABLE bulletin_values (
    bulletin_id bigint NOT NULL REFERENCES bulletins (id),
    metric      text NOT NULL CHECK (metric IN ('cases', 'deaths', 'doses', 'first_doses', 'second_doses')),
    value       bigint NOT NULL CHECK (value >= 0),
    PRIMARY KEY (bulletin_id, metric)
);

-- What was entered stays as it was entered; only its way through the states goes on.
CREATE FUNCTION loa_bulletins_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a bulletin is neither changed nor deleted: enter one that corrects it';
END;
$$;
CREATE TRIGGER bulletins_are_not_changed BEFORE UPDATE ON bulletins FOR EACH ROW
    WHEN ((NEW.id, NEW.place, NEW.kind, NEW.as_of, NEW.starts_at, NEW.ends_at, NEW.issuer, NEW.url, NEW.note, NEW.entered_by,
           NEW.entered_at)
          IS DISTINCT FROM
          (OLD.id, OLD.place, OLD.kind, OLD.as_of, OLD.starts_at, OLD.ends_at, OLD.issuer, OLD.url, OLD.note, OLD.entered_by,
           OLD.entered_at)
          OR OLD.state IN ('rejected', 'withdrawn')
          OR (OLD.approved_by IS NOT NULL AND NEW.approved_by IS DISTINCT FROM OLD.approved_by))
    EXECUTE FUNCTION loa_bulletins_are_kept();
CREATE TRIGGER bulletins_are_not_deleted BEFORE DELETE ON bulletins FOR EACH ROW EXECUTE FUNCTION loa_bulletins_are_kept();
CREATE TRIGGER bulletin_values_stay BEFORE UPDATE OR DELETE ON bulletin_values
    FOR EACH ROW EXECUTE FUNCTION loa_bulletins_are_kept();
