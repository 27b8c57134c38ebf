import sys

from tests.deploy.standin.door import main

sys.exit(main("alpha"))
