"""What Rasa asks us to decide: an action names a response key and its values, `locales/` holds the words."""
