"""Features: every needed image goes through a backbone once, and its vector is stored with a checksum.

May import: backbones, data sets, results, files, plugins. Vectors come from here, transforms and evaluators use them.
A new store of features: one file behind `feature_table`.

    table.py      the features of some rows         files.py           a table on disk
    embedding.py  images through a network          folding.py         BatchNorm folded into convolutions
    distances.py  how far two data sets are apart   pseudo_labels.py   the data set that clusters features
"""
