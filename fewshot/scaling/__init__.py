"""How error falls with a resource: laws, their fits, how far a fit may be trusted, what pre-training is worth.

    laws/           formulas e(x), a file a family: predict, inverse, fit   alternation.py  the fit of M2 and M4
    least_squares.py  fits of the others, from several starts               intervals.py    bootstrap of a fit

x is a resource (images, model size, shots), e an error in (0, 1]; arrays are float64.
"""
