"""Episodes: index tensors between data and evaluators; this folder knows rows and labels, not images.

May import: files, plugins.
A new format for sharing episodes: one file that converts them and back, with the same digest.

    episodes.py   shapes, episodes, batches       lists.py         files of episodes that can be shared
    labelled.py   what episodes read of images    tables.py        the same as CSV
    draws.py      random words by counter         learn2learn.py   tasks of learn2learn, and back
    streams.py    the list of random streams      shown.py         episodes and images in a notebook
"""
