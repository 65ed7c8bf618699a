"""Tables of the report, for the page, a terminal and a README."""
