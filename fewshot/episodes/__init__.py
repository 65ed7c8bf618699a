"""Episodes: index tensors between data and evaluators; this folder knows rows and labels, not images.

May import: files, plugins.
A new format for sharing episodes: one file that converts them and back, with the same digest.

    episodes.py   episodes as rows of a data set  lists.py         files of episodes that can be shared
    arrays.py     their arrays                    tables.py        the same as CSV
    shape.py      ways, shots and queries         learn2learn.py   tasks of learn2learn, and back
    batch.py      episodes as evaluators see them shown.py         episodes and images in a notebook
    custom.py     episodes of rows that users give  checks.py      errors of episodes from outside
    files.py      episodes on disk                digest.py        sha256 of their content
    labelled.py   what episodes read of images    flat.py          runs in flat arrays
    draws.py      random words by counter         streams.py       the list of random streams
"""
