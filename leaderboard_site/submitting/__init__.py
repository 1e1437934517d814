"""How submissions come in: received by streaming, checked apart from the server, queued, watched and published."""
