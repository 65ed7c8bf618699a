"""How error falls with a resource: laws, their fits, how far a fit may be trusted, what pre-training is worth.

    laws/             formulas e(x), a file a family: predict, inverse, fit
    alternation.py    the published local fit of M2 and M4     least_squares.py  the fits of most others
    intervals.py      what was drawn again, and the bounds     trust.py          how far a fit may be trusted
    tables.py         any CSV or rows, as curves               fits.py           every curve by every law
    transfer.py       effective data transferred               transfer_law.py   k, alpha and beta
    transfers.py      a table of runs, source by source        gains.py          network and source, paired by seed
    labels.py         how many labels for a target             drawing.py        fits and residuals as a figure
    checkpoints.py    what a row says of a checkpoint          ladders.py        checkpoints of one training, by size
    adaptation.py     exponents over images, compared          class_ladders.py  what more classes bring

x is a resource (images, model size, shots), e an error in (0, 1]; arrays are float64.
"""
