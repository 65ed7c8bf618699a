"""What the report derives from rows: tasks, short names, intervals and words."""
