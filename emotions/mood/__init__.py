"""From the latest readings to the class mood: one point a second and session, and the tiles beside it."""
