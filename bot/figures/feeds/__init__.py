"""The feeds of official figures: one file an adapter, `registry.py` says which are on, `generic.py` reads those of the YAML."""

# `feed` comes before `registry`, which loads the adapters: they may take Context from here.
from bot.figures.feeds.feed import Context, Feed, parse_json, recent
from bot.figures.feeds.registry import enabled_feeds

__all__ = ["Context", "Feed", "enabled_feeds", "parse_json", "recent"]
