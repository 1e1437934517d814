"""Who asks and what they may do: sign-in, tokens, roles, the host's pages, and the guards around every answer."""
