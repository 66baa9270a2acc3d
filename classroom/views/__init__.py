"""Pages: they parse and authorise (`classroom.access`), actions write.

One module for each errand: signing in (accounts), an instructor's courses, running session and room camera
(courses, controls, room), the way in (join), a student's own pages (student), what becomes of data (privacy),
machines that ask (health). How all of them answer is in answers.
"""
