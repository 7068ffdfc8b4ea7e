"""The report of a run of scenarios: pages for a browser, from disk, and the same in words for a terminal."""
