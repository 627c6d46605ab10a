"""`python -m cds_service.prepare`: what the first start would make and keep, made at installation.

Bytecode and tables of code lists, lexicons and knowledge (`mappings/table_cache.py`). For images and folders that
nobody may write to later; everywhere else it saves the first start some seconds.
"""

from __future__ import annotations

import compileall
import sys
from importlib import resources


def main() -> None:
    sys.dont_write_bytecode = False
    for package in ("mappings", "hooks", "cds_service"):
        compileall.compile_dir(str(resources.files(package)), quiet=1)
    from cds_service.pipeline import load_brain

    load_brain().prescan.prepare()


if __name__ == "__main__":
    main()
