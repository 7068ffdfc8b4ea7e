"""From what is written to the flow a call walks, every name resolved."""
