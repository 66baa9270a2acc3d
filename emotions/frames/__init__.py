"""From a socket to the newest-frame slots: the header on the wire, what is refused, the way into Redis."""
