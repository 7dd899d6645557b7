"""`python -m qmpcheck`."""

import sys

from qmpcheck.cli import main

sys.exit(main())
