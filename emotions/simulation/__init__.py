"""A class of synthetic students: for demonstrations, tests and load.

They join over HTTP and stream over real sockets, as browsers do; nothing here reaches into the server.
"""
