"""Episodes: index tensors between data and evaluators, their lists, tables, learn2learn tasks and random streams."""
