"""The translators' page: one link a person and language, no account; texts beside their source, recordings, a second person."""
