"""What `make bench` measures: the live pipeline against its own parts and against the usual recipes."""
