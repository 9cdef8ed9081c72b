"""The web chat as a citizen meets it: one page, its script and style, and the widget that puts it on a portal."""
