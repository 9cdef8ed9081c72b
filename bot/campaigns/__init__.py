"""Campaigns: one code that works on every channel, short links, posters, and counts that know no person."""
