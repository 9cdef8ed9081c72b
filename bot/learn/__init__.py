"""What the bot could not answer, without who asked it: collected, grouped, decided by people, written as examples."""
