"""What the report says of rows: tasks, short names, intervals, words."""
