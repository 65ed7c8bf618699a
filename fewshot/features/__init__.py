"""Features: every needed image goes through a backbone once; its vector is stored with a checksum.

May import: backbones, data sets, results, files, plugins. Transforms and evaluators use the vectors.
A new store of features: one file behind `feature_table`.

    table.py      the features of some rows         files.py           a table on disk
    ranges.py     ranges of a table by several processes at once
    embedding.py  images through a network          folding.py         BatchNorm folded into convolutions
    degenerate.py warnings for equal and zero rows
    distances.py  distances between two data sets   pseudo_labels.py   the data set that clusters features
"""
