"""Results: rows, predictions and the files of both; provenance; the classes that weights have seen."""
