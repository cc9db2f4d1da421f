"""python -m midflight"""

import sys

from midflight.cli import main

if __name__ == "__main__":
    sys.exit(main())
