"""Studies of rows of networks that were trained here."""
