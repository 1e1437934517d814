"""Reads task records from the hub (pinned), a folder, or the rows inside the package."""
