"""Results: a run is stored as one flat JSON row with its predictions beside it; reports read nothing else.

May import: episodes, files, plugins. Runs write results; measures, scaling and the report read them.
A new column: one line in a group of columns.py; a measure declares its columns in its own file.

    row.py           the row                          columns.py          its columns in typed groups
    files.py         the file of rows                 reading.py          parses a file once
    own_files.py     rows in the files of processes   predictions.py      predictions of some episodes
    parts.py         predictions in parts
    bound.py         predictions that fit their row   prediction_arrays.py  whether arrays are predictions
    made_here.py     runs of this machine             recognition.py      what a file without rows is
    row_specs.py     the specs of a row as objects    declared.py         the columns of measures
    comparability.py the key of rows that may stand in one table
    seen_classes/    classes in the weights' training data
    training_record.py  the record of a training
"""
