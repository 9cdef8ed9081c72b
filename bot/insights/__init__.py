"""What staff and citizens look up: official figures, how they came in, and what waits for a second person."""
