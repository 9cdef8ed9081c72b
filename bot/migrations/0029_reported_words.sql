-- Words that a citizen handed over help to know a claim again. They go with the report, as everything of a person does.

CREATE FUNCTION loa_forget_reported_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE rumour_verdicts SET wordings = array_remove(wordings, left(OLD.text, 300))
     WHERE id = OLD.verdict_id
       AND NOT EXISTS (SELECT FROM rumour_reports WHERE verdict_id = OLD.verdict_id AND left(text, 300) = left(OLD.text, 300));
    RETURN NULL;
END;
$$;
CREATE TRIGGER rumour_reports_words_go AFTER DELETE ON rumour_reports FOR EACH ROW
    WHEN (OLD.verdict_id IS NOT NULL) EXECUTE FUNCTION loa_forget_reported_words();
