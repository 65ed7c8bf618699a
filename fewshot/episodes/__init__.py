"""Episodes: index tensors between data and evaluators; nothing here knows images, only their rows and labels.

May import: files.
A new way to share episodes: one file that turns them into another format and back, with the same digest.

    episodes.py   shapes, episodes, batches       lists.py         files of episodes that can be shared
    labelled.py   what episodes ask of images     tables.py        the same as CSV
    draws.py      random words by counter         learn2learn.py   episodes as its tasks, and back
    streams.py    the list of random streams
"""
