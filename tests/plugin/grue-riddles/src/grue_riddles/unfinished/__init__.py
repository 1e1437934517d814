"""A task whose author forgot a package: importing it raises."""

import a_package_that_nobody_has  # noqa: F401

TASK = None
