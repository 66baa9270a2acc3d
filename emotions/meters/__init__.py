"""Seen from outside: what each process counts, how the counts reach Redis, and the page that Prometheus reads."""
