"""Scenario files: every word declared once, read, checked against the flow that answers, and written."""
