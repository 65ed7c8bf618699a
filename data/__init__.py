"""The bundled data: class splits, icons, glyphs and class lists, with the scripts that build them; see README.md.

May import: fewshot.results.seen_classes (build_class_lists.py); the loaders need numpy only.
A new class split: one file `splits/<data set>.json`, which `fewshot split make` writes.

    icons.py, glyphs.py, class_lists.py           loaders        greys.py   levels of grey, packed pixels
    build_icons.py, build_glyphs.py, build_class_lists.py   builders of the committed files
    building.py   what builders share              typefaces.py   fonts of Debian packages, rendered
    choose_typefaces.py   chooses the typefaces    contact_sheet.py   a sample of images with their names
"""

from pathlib import Path

FOLDER: Path = Path(__file__).parent
