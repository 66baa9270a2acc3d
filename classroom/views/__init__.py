"""Pages: they parse and authorise (`classroom.access`), actions write. One module per kind of visitor."""
