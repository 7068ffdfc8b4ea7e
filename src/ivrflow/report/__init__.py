"""The report of a stretch of time: key figures, rules, promises and how the calls went."""
