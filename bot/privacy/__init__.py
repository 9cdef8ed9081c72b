"""What is known of a person: masked, handed over, erased, and kept no longer than needed."""
