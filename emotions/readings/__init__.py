"""From slots to stored events: a drain takes frames, reads the faces, stores, and answers."""
