"""Tables of the report, for HTML, a terminal and a README."""
