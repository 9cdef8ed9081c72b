"""The operators' desk: people see who waits, take over, answer and hand back."""
