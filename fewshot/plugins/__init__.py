"""Plug-ins: a folder is a registry of members. Specs, signatures read without importing, grids of hyperparameters.

May import: files.
A new kind of member: one `Registry` line in registry.py, for a folder whose `__init__.py` holds the base class.

    registry.py       the registries: names, signatures, specs and objects of the members of a folder
    members.py        the members of a folder and of plug-ins, by name        binding.py       from calls to specs
    object_calls.py   from objects to calls                                   wording.py       numbers with nouns, lists
    spec.py           a member as an object: its text, identity and paths     call.py          the parser of spec texts
    signature.py      fields and declarations, read without importing         fields.py        rules for field values
    folders.py        the signatures of a folder, kept on disk while its sources stay as they are
    short_name.py     short names for tables and figures                      shorthand.py     short forms of backbones
    member_field.py   dataclass fields that hold a spec                       grids.py         values to choose among
    code.py           digests of code from outside fewshot         held.py          specs of things that Python holds
"""
