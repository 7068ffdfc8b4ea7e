"""`python -m ivrflow` is `ivrflow`."""

from ivrflow.cli import main

main()
