"""Everything on one machine: a Postgres and a Valkey from wheels, and what `manage.py up` keeps running.

Nothing in here imports Django: the parts start before the settings can be read.
"""
