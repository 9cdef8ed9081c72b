"""The people who work with Loa: accounts, sessions, and the door of every staff page."""
