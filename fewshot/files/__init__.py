"""Files: atomic writes, and safe readers of CSV, safetensors and vectors.

May import: nothing of fewshot.
A new reader: one file; its errors name the file, what was expected, what was found and what to do.

    atomic.py      whole-or-nothing writes, safetensors, the cache folder
    checksums.py   checksums of everything that is read back
    csv_files.py   CSV files that people wrote
    vectors.py     vectors in memory or in a file of any size
"""
