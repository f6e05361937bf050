"""python -m edgeocr, the same as the command edgeocr."""

import sys

from .cli.main import main

sys.exit(main())
