"""Files: atomic writes, and safe readers of CSV, safetensors and vectors.

May import: nothing of fewshot.
A new reader: one file. Its errors name the file, what was expected, what was found, and what to do.

    atomic.py      whole-or-nothing writes, safetensors, the cache folder
    checksums.py   checksums of everything that is read back
    csv_files.py   CSV files that people wrote
    npz.py         arrays of .npz files, with their checksums
    stored.py      arrays in files that are read by rows
    zips.py        members of zip files whose bits changed
    places.py      texts without the folders of this machine
    regular.py     regular files only: no pipe, socket or device
    vectors.py     vectors in memory or in a file of any size
    terminal.py    the width of a terminal
    progress.py    the progress of long work (bars.py: as a line on a terminal or in a log)
    memory.py      the memory that is free
    cores.py       the cores that this process may use
    locks.py       locks between processes that say who holds them
    leases.py      who works on what, on folders without locks
"""
