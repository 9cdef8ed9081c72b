"""The queue's own tables, as procrastinate ships them; later releases bring their own steps (see bot/database.py)."""

from procrastinate.schema import SchemaManager

SQL = SchemaManager.get_schema()
