"""Results: what is stored of a run. One flat JSON row, and its predictions beside it; reports read nothing else.

May import: episodes, files, plugins. Runs write results; measures, scaling and the report read them.
A new column: one line in a group of columns.py; the columns of a measure stand in its file.

    row.py           the row                          columns.py          its columns in typed groups
    files.py         the file of rows                 reading.py          a file is parsed once
    parts.py         predictions in parts             predictions.py      predictions of some episodes
    asked.py         the specs of a row as objects    declared.py         what measures declare
    seen_classes/    classes that weights have seen   training_record.py  the record of a training here
"""
