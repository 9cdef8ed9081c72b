-- procrastinate announces a job when it is inserted. A job whose conversation is busy at that moment cannot be taken, and
-- nobody announced it again: it waited for the worker's next look. Now the end of a job announces the next one.

CREATE FUNCTION loa_announce_next_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM procrastinate_jobs WHERE lock = OLD.lock AND status = 'todo' AND id <> OLD.id) THEN
        PERFORM pg_notify('procrastinate_any_queue_v1', json_build_object('type', 'job_inserted', 'job_id', OLD.id)::text);
    END IF;
    RETURN NULL;
END;
$$;

CREATE TRIGGER loa_announce_next_job_after_delete AFTER DELETE ON procrastinate_jobs
    FOR EACH ROW WHEN (OLD.lock IS NOT NULL) EXECUTE FUNCTION loa_announce_next_job();

CREATE TRIGGER loa_announce_next_job_after_end AFTER UPDATE OF status ON procrastinate_jobs
    FOR EACH ROW WHEN (OLD.lock IS NOT NULL AND OLD.status = 'doing' AND NEW.status NOT IN ('doing', 'todo'))
    EXECUTE FUNCTION loa_announce_next_job();

-- Three rows of job history a message, deleted with the job a moment later: the messages table is the history we keep.
ALTER TABLE procrastinate_jobs DISABLE TRIGGER procrastinate_trigger_status_events_insert_v1;
ALTER TABLE procrastinate_jobs DISABLE TRIGGER procrastinate_trigger_status_events_update_v1;
ALTER TABLE procrastinate_jobs DISABLE TRIGGER procrastinate_trigger_scheduled_events_v1;
