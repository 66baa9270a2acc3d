"""Faces, emotions and moods: a plain Python library that knows nothing of the web.

The modules here are commands (`python -m ml.train`, …) and what all share; the folders, from a lesson backwards:
`serving` finds and reads faces, `measuring` tells how well, `training` makes the network, `data` is what from, and
`drawn` makes faces that are nobody's.
"""
