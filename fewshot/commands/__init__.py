"""The commands: one file each, its function `command`; files that begin with an underscore are what they share.

Adding a command is adding a file. Its top imports click and nothing heavy: `fewshot --help` imports them all.
"""
