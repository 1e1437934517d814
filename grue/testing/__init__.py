"""Contract checks for task plugins, also for their authors."""
