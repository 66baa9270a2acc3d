"""What is looked up later: rollups, selections, charts, words, the report and its exports."""
