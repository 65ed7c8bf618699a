"""Features: every needed image goes through a backbone once; its vector is stored with a checksum.

May import: backbones, data sets, results, files, plugins. Transforms and evaluators use the vectors.
A new store of features: one file behind `feature_table`.

    table.py      the features of some rows         files.py           a table on disk
    ranges.py     ranges of a table by several processes at once
    embedding.py  images through a network          folding.py         BatchNorm folded into convolutions
    calls.py      which module follows which        fusing.py          ReLU computed by convolutions
    trials.py     faster forms, tried on a batch    class_token.py     a last block for the class token alone
    changed_modules.py copies with other modules
    settings.py   dtypes, batch, compilation, processes  arithmetic.py      float32 that is float32 on a GPU
    decoding.py   images as inputs of a network     ring.py            decoded ahead by threads or processes
    streams.py    copies beside the computation     use.py             images and bytes a second, use of the device
    compilation.py torch.compile                    out_of_memory.py   batches halved until they fit
    batch_size.py the batch that fits a device
    degenerate.py warnings for equal and zero rows
    distances.py  distances between two data sets   pseudo_labels.py   the data set that clusters features
"""
