"""Benchmarks: `make bench`. Never run as timed tests; what they print are figures and ratios taken in one run."""
