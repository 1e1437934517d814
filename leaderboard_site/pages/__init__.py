"""One module a page: board data in, a frozen value out that a template only has to write down."""
