"""`ivrflow scenario load`: one scenario's caller, many times at once, and what that cost."""
