"""Submissions to a board: what may be uploaded, where it is kept, and the settings of the service."""
