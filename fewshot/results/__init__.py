"""Results: a run is stored as one flat JSON row with its predictions beside it; reports read nothing else.

May import: episodes, files, plugins. Runs write results; measures, scaling and the report read them.
A new column: one line in a group of columns.py; a measure declares its columns in its own file.

    row.py           the row                          columns.py          its columns in typed groups
    files.py         the file of rows                 reading.py          parses a file once
    parts.py         predictions in parts             predictions.py      predictions of some episodes
    asked.py         the specs of a row as objects    declared.py         the columns of measures
    seen_classes/    classes in the weights' training data
    training_record.py  the record of a training
"""
